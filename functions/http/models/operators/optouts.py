"""Models of the bodies and answers on opt-outs."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field

from functions.http.declared import Model

if TYPE_CHECKING:
    from shared.images.opted_out import Holding
    from shared.optouts.optout import OptOut

OPTOUTS = "/api/v1/optouts"

type OptOutWord = Literal["url", "host", "sha256", "perceptual_hash"]


class CreateOptOutBody(Model):
    """What must not be used any more.

    `kind` says what `value` is: the address of an image or of a page with images, a host (with its subdomains), the
    SHA-256 of a file, or the perceptual hash of a picture, as records have it. For a perceptual hash, images are left
    out whose hashes differ in at most `distance` bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    kind: OptOutWord
    value: Annotated[str, Field(min_length=1, max_length=8000)]
    distance: Annotated[int, Field(ge=0, le=8)] = 4


class OptOutAnswer(Model):
    """One opt-out. `value` is in the form in which values are compared."""

    id: str
    kind: OptOutWord
    value: str
    distance: int
    created_at: datetime
    created_by: str
    links: dict[str, str]

    @classmethod
    def of(cls, optout: "OptOut") -> Self:
        """Returns the answer for an opt-out."""
        path = f"{OPTOUTS}/{optout.id}"
        return cls(
            id=optout.id,
            kind=optout.kind.value,
            value=optout.value,
            distance=optout.distance,
            created_at=optout.created_at,
            created_by=optout.created_by,
            links={"self": path, "datasets": f"{path}/datasets"},
        )


class OptOutPage(Model):
    """A page of opt-outs, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[OptOutAnswer]
    next: str | None


class HoldingAnswer(Model):
    """A dataset that has images which are opted out, and the indices of the first hundred of them.

    `complete` is false if its records could not be read to the end, because they are damaged or take too long. Then
    there may be more images, or none was found. `refresh` makes a revision without the images.
    """

    user_id: str
    dataset_id: str
    name: str
    revision: int
    images: int
    indices: list[int]
    complete: bool
    links: dict[str, str]

    @classmethod
    def of(cls, holding: "Holding") -> Self:
        """Returns the answer for a dataset."""
        dataset = holding.dataset
        path = f"/api/v1/datasets/{dataset.id}"
        return cls(
            user_id=dataset.user_id,
            dataset_id=dataset.id,
            name=dataset.name,
            revision=dataset.revision,
            images=holding.images,
            indices=list(holding.indices),
            complete=holding.complete,
            links={"dataset": path, "refresh": f"{path}/refresh"},
        )


class HoldingPage(Model):
    """The datasets that were found, after `searched` datasets were read. `next` has the path that goes on, or is None.

    A page may have no items though others follow.
    """

    items: list[HoldingAnswer]
    searched: int
    next: str | None
