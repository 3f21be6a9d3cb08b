"""Makes JPEG files of pictures within the limits of Azure AI Vision.

Limits: "Multimodal embeddings", https://learn.microsoft.com/azure/ai-services/computer-vision/concept-image-retrieval,
read in November 2026 (a copy of February 2024): files below 20 MB; more than 10 and less than 16,000 pixels a side.
"""

from io import BytesIO

from PIL import Image

from shared.scoring.scorer import Picture

# the model sees a much smaller picture anyway, and a JPEG file of 1,024 by 1,024 pixels is far below 20 MB
_LONGEST = 1024
_SHORTEST = 16
_QUALITY = 92
_WHITE = (255, 255, 255)


def jpeg_of(picture: Picture) -> bytes:
    """Returns a picture as a JPEG file. Large pictures are scaled, and narrow ones get a white border."""
    image = Image.fromarray(picture)
    image.thumbnail((_LONGEST, _LONGEST), Image.Resampling.BICUBIC, reducing_gap=None)
    if min(image.size) < _SHORTEST:
        wide = Image.new("RGB", (max(_SHORTEST, image.width), max(_SHORTEST, image.height)), _WHITE)
        wide.paste(image, ((wide.width - image.width) // 2, (wide.height - image.height) // 2))
        image = wide
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
