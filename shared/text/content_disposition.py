"""Makes the header that says under which name a browser saves a file (RFC 6266)."""

import re
import unicodedata
from urllib.parse import quote

from shared.text.file_names import safe_name

_MAX_BYTES = 200
_PLAIN = re.compile(r"[^A-Za-z0-9._ -]+")
# attr-char of RFC 5987, beside letters, digits and "-._~", which `quote` never encodes
_SAFE = "!#$&+^`|"


def attachment(filename: str) -> str:
    """Returns the value of Content-Disposition for a file that is saved, not shown.

    The name is made safe first, whatever it holds. Clients that know only ASCII get a simpler name beside it.
    """
    # a stem without the ending may be shortened, so that the file keeps its ending
    stem, dot, ending = filename.rpartition(".")
    if not dot or len(ending.encode()) > _MAX_BYTES // 4:
        stem, dot, ending = filename, "", ""
    name = safe_name(f"{safe_name(stem, _MAX_BYTES - len((dot + ending).encode()))}{dot}{ending}", _MAX_BYTES)
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _PLAIN.sub("_", ascii_only).strip(" ") or "file"
    if plain == name:
        return f'attachment; filename="{plain}"'
    if plain.startswith("."):
        plain = f"file{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_SAFE)}"
