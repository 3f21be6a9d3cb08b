"""Names that every file system takes, and what systems compare them by."""

import re
import unicodedata

from shared.hidden import HIDDEN

_FORBIDDEN = re.compile(rf'[<>:"/\\|?*{HIDDEN}]')
# devices of Windows, with digits in superscript and with whatever is behind a dot, blanks before it or not:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
# what systems, storage and notebooks keep beside one's files, and other programs pass over
_KEPT_BY_SYSTEMS = frozenset(
    {
        *("@eadir", "#recycle", "#snapshot", "$recycle.bin", "recycler", "system volume information"),
        *("lost+found", "desktop.ini", "thumbs.db", "__macosx", "__pycache__"),
    }
)
_EDGES = re.compile(r"^[\s.]+|[\s.]+$")
# Unicode's Default_Ignorable_Code_Point (UAX 44)
_IGNORABLE = re.compile(
    f"[{HIDDEN}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def safe_name(text: str, max_bytes: int) -> str:
    """A name like the text, of so many bytes of UTF-8 at most, that every system can make and no loader passes over.

    Hugging Face's loaders pass over what begins with a dot or with two underscores, fastai's and Keras's over what
    begins with a dot.
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
    """What is equal of names that some system takes for one.

    Those are canonical caseless matches (Unicode, D145), and names that differ only in case where there is just one
    direction, or in what is not shown: APFS, NTFS and ext4 differ in which of them they see.
    """
    text = unicodedata.normalize("NFD", _IGNORABLE.sub("", name))
    return unicodedata.normalize("NFD", text.casefold().upper().casefold())


def _storable(character: str) -> str:
    """Half of a character is left out; what is none yet, some systems refuse."""
    kind = unicodedata.category(character)
    return "" if kind == "Cs" else "_" if kind == "Cn" else character
