"""Defines which wishes of servers and pages a job respects."""

from pydantic import BaseModel, ConfigDict


class Respect(BaseModel):
    """The refusals that a job respects: robots.txt, and opt-out headers against machine learning."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    robots: bool = True
    opt_out: bool = True
