"""What a job respects of what servers and pages ask for."""

from pydantic import BaseModel, ConfigDict


class Respect(BaseModel):
    """Which refusals are honoured: robots.txt, and opt-out headers against machine learning."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    robots: bool = True
    opt_out: bool = True
