"""Defines which wishes of servers, pages and files a job respects."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Respect(BaseModel):
    """The refusals that a job respects. Each field is named like the signal that it turns off.

    `docs/reference/consent.md` says where each signal stands, what refuses, and in which version it is read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    robots: bool = True
    robots_tags: bool = True
    tdmrep: bool = True
    aipref: bool = True
    content_signals: bool = True
    rsl: bool = True
    ai_txt: bool = True
    iptc: bool = True
    c2pa: bool = True

    @classmethod
    def nothing(cls) -> Self:
        """Returns the settings of a job that respects no refusal."""
        return cls(**dict.fromkeys(cls.model_fields, False))
