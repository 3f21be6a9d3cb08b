"""Holds the models that judge pictures in the judging threads: for faces, and for content that is not safe for work."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from shared.scoring.faces.detector import FaceDetector
    from shared.scoring.scorer import Picture


class PictureClassifier(Protocol):
    """A model that says how likely a picture belongs to a class. Many threads may use it at the same time."""

    @property
    def name(self) -> str:
        """The name of the model."""
        ...

    def probability(self, picture: "Picture") -> float:
        """Returns a probability from 0 to 1. Takes processor time, so call it in a thread.

        Raises:
            Permanent: the model does not work.
        """
        ...


@dataclass(frozen=True, slots=True)
class PictureModels:
    """The models that a job needs; None for each that it does not need."""

    faces: "FaceDetector | None" = None
    nsfw: PictureClassifier | None = None

    @property
    def wanted(self) -> bool:
        """Whether the job needs a model."""
        return self.faces is not None or self.nsfw is not None


NO_MODELS: Final = PictureModels()
"""What a job needs that measures neither faces nor content."""
