"""What stand-ins share. They import little, so that they start fast."""

import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[3]
"""The folder of the project."""


def refuse(text: str) -> NoReturn:
    """Ends the stand-in with an error."""
    sys.exit(f"{sys.argv[0]}: {text}: {sys.argv[1:]}")
