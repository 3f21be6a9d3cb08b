"""Defines which wishes of servers and pages a job respects."""

from pydantic import BaseModel, ConfigDict


class Respect(BaseModel):
    """The refusals that a job respects: robots.txt, opt-out headers against machine learning, and those in files.

    `iptc` is the property of data mining in a file's XMP, and `c2pa` are the assertions about it in C2PA manifests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    robots: bool = True
    opt_out: bool = True
    iptc: bool = True
    c2pa: bool = True
