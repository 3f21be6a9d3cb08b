"""What the topics of the settings share. A topic is a class with the fields of one subject.

The first line of a class's docstring is the heading of its section in docs/reference/settings.md, and the rest is the
text below the table. A field's docstring is its row there (`make settings` makes the section). Links in both are
relative to docs/reference/.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

REQUIRED: Final[JsonDict] = {"required": True}
"""Marks a field without which a part of the app does not work on Azure. A deployment has to set it."""


class Topic(BaseModel):
    """The base of the topics. Pydantic builds the rules once, for the class that has all fields."""

    model_config = ConfigDict(defer_build=True)
