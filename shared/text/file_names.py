"""Makes names that every file system accepts, and compares names as file systems do."""

import re
import unicodedata

from shared.text.hidden import HIDDEN

# also "$" and "%": Hugging Face's loaders replace names of environment variables in paths, as shells do
_FORBIDDEN = re.compile(rf'[<>:"/\\|?*$%{HIDDEN}]')
# devices of Windows, also with superscript digits, with blanks, and with any extension:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
# names that systems, storage and notebooks use for their own files, and that other programs skip
_KEPT_BY_SYSTEMS = frozenset(
    {
        *("@eadir", "#recycle", "#snapshot", "recycler", "system volume information"),
        *("lost+found", "desktop.ini", "thumbs.db", "__macosx", "__pycache__"),
    }
)
_EDGES = re.compile(r"^[\s.]+|[\s.]+$")
# Unicode's Default_Ignorable_Code_Point (UAX 44)
_IGNORABLE = re.compile(
    f"[{HIDDEN}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def safe_name(text: str, max_bytes: int) -> str:
    """Makes a name from the text that every system can store and no loader skips.

    The name has at most `max_bytes` of UTF-8. Hugging Face's loaders skip names that begin with a dot or two
    underscores. The loaders of fastai and Keras skip names that begin with a dot.
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(_storable(character) for character in name)
    name = _EDGES.sub("", _FORBIDDEN.sub("_", name))
    while len(name.encode()) > max_bytes:
        name = name[:-1]
    name = re.sub("^_{2,}", "_", _EDGES.sub("", name))
    if not name or name.startswith("~") or _DEVICE.fullmatch(name) or name.lower() in _KEPT_BY_SYSTEMS:
        name = f"_{name}"
    return name


def comparable(name: str) -> str:
    """Returns a form of the name that is equal for two names if some file system treats them as one.

    Such names are canonical caseless matches (Unicode, D145), or differ only in a case mapping that works in one
    direction, or in invisible characters. APFS, NTFS and ext4 disagree on which of these names are different.
    """
    text = unicodedata.normalize("NFD", _IGNORABLE.sub("", name))
    return unicodedata.normalize("NFD", text.casefold().upper().casefold())


def _storable(character: str) -> str:
    """Returns the character, "_" for an unassigned one, which some systems refuse, or nothing for a surrogate."""
    kind = unicodedata.category(character)
    return "" if kind == "Cs" else "_" if kind == "Cn" else character
