"""One rule for the names of blobs that callers choose. Every field that takes such a name uses it."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

# in UTF-16 code units, as storage counts
MAX_BLOB_NAME_UNITS = 1024
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def check_blob_name(name: str) -> str:
    """Returns the name if it means the same blob in a URL and in every client of storage.

    Azure accepts names of 1 to 1,024 characters ("Naming and referencing containers, blobs, and metadata"). Its
    clients resolve dot segments and convert backslashes to slashes, and its XML responses cannot hold control
    characters.

    Raises:
        ValueError: the name breaks a rule. The text names the rule.
    """
    if not name:
        raise ValueError("must be a blob's name, not an empty text")
    if len(name.encode("utf-16-le", "surrogatepass")) > 2 * MAX_BLOB_NAME_UNITS:
        raise ValueError(f"must be a blob's name of at most {MAX_BLOB_NAME_UNITS:,} characters")
    if _UNWRITABLE.search(name):
        raise ValueError("must be a blob's name without control characters and unpaired surrogates")
    if "\\" in name:
        raise ValueError("must be a blob's name without backslashes; folders are divided by /")
    if "://" in name:
        raise ValueError("must be a blob's name within the container, not an address")
    if name.startswith("/") or name.endswith("/"):
        raise ValueError("must be a blob's name that neither begins nor ends with /")
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ValueError("must be a blob's name without empty, . or .. parts")
    return name


type BlobName = Annotated[str, Field(strict=True), AfterValidator(check_blob_name)]
"""The type of a field that holds a blob's name. `check_blob_name` validates it."""
