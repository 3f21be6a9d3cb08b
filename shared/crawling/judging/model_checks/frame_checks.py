"""Looks at the frames of one image by the models that a job needs: for faces, and for content not safe for work."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from shared.crawling.judging.header import Header
from shared.crawling.judging.inspect import SIDEWAYS, Inspected, score_refusal
from shared.crawling.judging.picture.color import to_srgb
from shared.crawling.judging.picture.fingerprint import measure_look
from shared.crawling.judging.picture.pixels import Pixels, make_upright, reduce
from shared.crawling.options import CrawlOptions
from shared.records.records import Reason, Rejected
from shared.scoring.faces.boxes import Box, count_faces, scaled
from shared.scoring.faces.detector import MOST_PIXELS, FaceDetector, input_side
from shared.scoring.faces.hide import hide_faces
from shared.scoring.picture_models import PictureClassifier, PictureModels

MOST_LATER_PIXELS: Final = 20 * MOST_PIXELS
"""The pixels of later frames in which faces are looked for. It takes about two seconds of processor time."""

_MOST_ROUNDS = 3
_NSFW_SIDE = 448


@dataclass(frozen=True, slots=True)
class Checked:
    """An image that no model refused. `found` has the picture without its faces if `blurred` is true.

    `faces` is the largest number of faces in one frame, and `nsfw` the highest probability of a frame. Each is None if
    it was not measured. `unblurred_hash` is the perceptual hash of the picture as it came.
    """

    found: Inspected
    faces: int | None
    nsfw: float | None
    blurred: bool
    unblurred_hash: str


class FrameChecks:
    """Checks the frames of one image. Later frames need not be given if only the first one will be stored.

    In later frames, faces are looked for until one is found or `MOST_LATER_PIXELS` were looked at. Frames beyond count
    as if they showed a face, so that a long animation is no way around the filter. Content is looked at in the first
    frame and in those after 1, 2, 4, 8 and so on.
    """

    def __init__(self, models: PictureModels, options: CrawlOptions, header: Header) -> None:
        self._models = models
        self._options = options
        self._orientation = header.orientation
        self._profile = header.profile
        self._frame = 0
        self._looked_pixels = 0
        self._later_faces = 0
        self._unseen_frame: int | None = None
        self._nsfw = 0.0

    def see_later_frame(self, pixels: Pixels) -> None:
        """Looks at the next frame after the first. `pixels` is BGR as stored, on white.

        Raises:
            Permanent: a model does not work.
        """
        self._frame += 1
        faces, nsfw = self._models.faces, self._models.nsfw
        if faces is not None and not self._later_faces and self._unseen_frame is None:
            height, width = pixels.shape[:2]
            self._looked_pixels += min(MOST_PIXELS, 4 * height * width)
            if self._looked_pixels > MOST_LATER_PIXELS:
                self._unseen_frame = self._frame
            else:
                self._later_faces = count_faces(self._find(faces, self._upright(pixels)))
        if nsfw is not None and self._frame & (self._frame - 1) == 0:
            self._nsfw = max(self._nsfw, self._probability(nsfw, pixels))

    def check(self, found: Inspected) -> Checked | Rejected:
        """Looks at the first frame, and returns the image as it may be stored.

        Raises:
            Permanent: a model does not work.
        """
        upright = self._upright(found.pixels)
        boxes = self._find(self._models.faces, upright) if self._models.faces is not None else ()
        faces = max(count_faces(boxes), self._later_faces)
        later_may_have_faces = self._later_faces > 0 or self._unseen_frame is not None
        if (boxes or later_may_have_faces) and self._options.filters.faces == "drop":
            return Rejected(Reason.FACE_FILTERED, self._what_was_found(faces))
        refusal = self._nsfw_refusal(found)
        if refusal is not None:
            return refusal
        checked = Checked(
            found,
            faces if self._models.faces is not None else None,
            round(self._nsfw, 4) if self._models.nsfw is not None else None,
            blurred=False,
            unblurred_hash=found.look.perceptual_hash,
        )
        return self._blurred(checked, upright, boxes) if boxes or later_may_have_faces else checked

    def _what_was_found(self, faces: int) -> str:
        if faces:
            return f"{faces} {'face' if faces == 1 else 'faces'}"
        return f"too many frames: none was looked at from frame {(self._unseen_frame or 0) + 1} on"

    def _nsfw_refusal(self, found: Inspected) -> Rejected | None:
        nsfw, most = self._models.nsfw, self._options.filters.nsfw_max
        if nsfw is None or most is None:
            return None
        self._nsfw = max(self._nsfw, self._probability(nsfw, found.pixels))
        if self._nsfw > most:
            return Rejected(Reason.NSFW_FILTERED, f"nsfw {self._nsfw:.4g} is above {most:g}")
        return None

    def _blurred(self, checked: Checked, upright: Pixels, boxes: tuple[Box, ...]) -> Checked | Rejected:
        """Returns the first frame without its faces, upright. The others are dropped."""
        found, detector = checked.found, self._models.faces
        hidden = self._without_faces(detector, upright, boxes) if detector is not None else None
        if hidden is None:
            return Rejected(Reason.FACE_FILTERED, "its faces could not be blurred")
        sideways = found.orientation in SIDEWAYS
        still = replace(
            found,
            width=found.height if sideways else found.width,
            height=found.width if sideways else found.height,
            orientation=1,
            frames=1,
            pixels=hidden,
            look=measure_look(hidden),
        )
        refusal = score_refusal(still, self._options.filters)
        return refusal or replace(checked, found=still, blurred=True)

    def _upright(self, pixels: Pixels) -> Pixels:
        return make_upright(pixels, self._orientation)

    def _find(self, detector: FaceDetector, upright: Pixels) -> tuple[Box, ...]:
        """Returns the boxes around faces in the picture as a viewer shows it, with its colour profile."""
        if self._profile is None:
            return detector.find(upright)
        height, width = upright.shape[:2]
        small = to_srgb(reduce(upright, input_side(width, height)), self._profile)
        return scaled(detector.find(small), width / small.shape[1], height / small.shape[0])

    def _without_faces(
        self, detector: FaceDetector, upright: Pixels, boxes: tuple[Box, ...]
    ) -> Pixels | None:
        """Hides the faces until the model finds none; returns None if it still finds one after three rounds."""
        for _ in range(_MOST_ROUNDS):
            upright = hide_faces(upright, boxes)
            boxes = self._find(detector, upright)
            if not boxes:
                return upright
        return None

    def _probability(self, model: PictureClassifier, pixels: Pixels) -> float:
        small = reduce(pixels, _NSFW_SIDE)
        if self._profile is not None:
            small = to_srgb(small, self._profile)
        return model.probability(np.asarray(cv2.cvtColor(self._upright(small), cv2.COLOR_BGR2RGB), np.uint8))
