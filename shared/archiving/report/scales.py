"""Says how the report shows each score: on which scale, and which end of it has the images that may be bad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.records.scores import ScoreName

BINS: Final = 32
"""How many bars a histogram has."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a score is shown.

    The scale goes from `low` to `high`; images beyond count at its ends. On a `logarithmic` one, equal distances are
    equal factors. `ticks` are the values that are written below it. `lowest` and `highest` are the titles of the images
    with the lowest and highest scores, which are shown if they have a title.
    """

    title: str
    meaning: str
    low: float
    high: float
    ticks: Sequence[float]
    logarithmic: bool = False
    lowest: str = ""
    highest: str = ""

    @property
    def edges(self) -> list[float]:
        """The values between which the bars are, one more than there are bars."""
        shares = [number / BINS for number in range(BINS + 1)]
        if self.logarithmic:
            return [self.low * (self.high / self.low) ** share for share in shares]
        return [self.low + (self.high - self.low) * share for share in shares]


SCALES: Final[Mapping[ScoreName, Scale]] = {
    "sharpness": Scale(
        "Sharpness",
        "How strong the edges are. Blurred and blank pictures have a low one.",
        1,
        100_000,
        (1, 10, 100, 1000, 10_000, 100_000),
        logarithmic=True,
        lowest="The least sharp",
    ),
    "brightness": Scale(
        "Brightness",
        "The mean of all pixels, from black to white.",
        0,
        1,
        (0, 0.25, 0.5, 0.75, 1),
        lowest="The darkest",
        highest="The brightest",
    ),
    "contrast": Scale(
        "Contrast",
        "How much the pixels differ. Faded and blank pictures have little.",
        0,
        0.5,
        (0, 0.1, 0.2, 0.3, 0.4, 0.5),
        lowest="The least contrast",
    ),
    "entropy": Scale(
        "Entropy",
        "The bits of information in the grey levels. Drawings, charts and blank pictures have few.",
        0,
        8,
        (0, 2, 4, 6, 8),
        lowest="The least information",
    ),
    "aspect_ratio": Scale(
        "Aspect ratio",
        "The longer side divided by the shorter one. Banners have a high one.",
        1,
        4,
        (1, 2, 3, 4),
        highest="The longest shapes",
    ),
    "bytes_per_pixel": Scale(
        "Bytes per pixel",
        "The size of the file for each pixel. Enlarged or strongly compressed pictures have few.",
        0.001,
        10,
        (0.001, 0.01, 0.1, 1, 10),
        logarithmic=True,
        lowest="The most compressed",
    ),
    "relevance": Scale(
        "Relevance",
        "How well a model finds that the picture shows its label. Values of different models are not comparable.",
        # both ends are exact as 32-bit floats, which the scores are
        -0.25,
        0.5,
        (-0.25, 0, 0.25, 0.5),
        lowest="The least relevant",
    ),
}
"""The scale of every score, in the order of the report."""
