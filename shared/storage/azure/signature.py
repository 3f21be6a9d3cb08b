"""Signs what a link to a blob allows: shared access signatures (SAS) of Azure Storage.

The format is that of version 2022-11-02, for keys of the account
(https://learn.microsoft.com/rest/api/storageservices/create-service-sas) and for user delegation keys
(https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas). Azure accepts every version since.
The SDK signs in its own newest version only, which the emulator does not know; links in a fixed version are tested as
they are deployed.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from azure.storage.blob import UserDelegationKey

VERSION: Final = "2022-11-02"
"""The version of Azure Storage in whose format links are signed."""
_BLOB: Final = "b"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link allows: `permissions` on one blob, from `start` to `expiry`, which are whole seconds in UTC.

    `permissions` are letters of Azure: "r" reads the blob, "c" creates it if it does not exist. A browser saves the
    blob as `content_disposition` says.
    """

    account: str
    container: str
    blob: str
    permissions: str
    start: datetime
    expiry: datetime
    https_only: bool
    content_disposition: str = ""

    @property
    def _fields(self) -> Mapping[str, str]:
        """The query of the link without its signature."""
        return {
            "sv": VERSION,
            "st": stamp(self.start),
            "se": stamp(self.expiry),
            "sr": _BLOB,
            "sp": self.permissions,
            "spr": "https" if self.https_only else "",
            "rscd": self.content_disposition,
        }

    def signed_by_account(self, account_key: str) -> str:
        """Returns the query of the link, signed with a key of the account in base64."""
        # the empty line is the stored access policy
        return self._signed(account_key, {}, [""])

    def signed_by_delegation(self, key: UserDelegationKey) -> str:
        """Returns the query of the link, signed with a user delegation key."""
        of_key = {
            "skoid": str(key.signed_oid),
            "sktid": str(key.signed_tid),
            "skt": str(key.signed_start),
            "ske": str(key.signed_expiry),
            "sks": str(key.signed_service),
            "skv": str(key.signed_version),
        }
        # the empty lines are the users of file systems, and the correlation id
        return self._signed(str(key.value), of_key, [*of_key.values(), "", "", ""])

    def _signed(self, key: str, of_key: Mapping[str, str], lines_of_key: Sequence[str]) -> str:
        fields = self._fields
        lines = (
            *(fields["sp"], fields["st"], fields["se"]),
            f"/blob/{self.account}/{self.container}/{self.blob}",
            *lines_of_key,
            # the empty lines are an address, a snapshot and an encryption scope
            *("", fields["spr"], fields["sv"], fields["sr"], "", ""),
            # the empty lines are the headers Cache-Control, Content-Encoding, Content-Language, Content-Type
            *("", fields["rscd"], "", "", ""),
        )
        digest = hmac.digest(base64.b64decode(key), "\n".join(lines).encode(), hashlib.sha256)
        signature = base64.b64encode(digest).decode()
        query = {**fields, **of_key, "sig": signature}
        return urlencode({name: value for name, value in query.items() if value}, quote_via=quote, safe="")


def stamp(moment: datetime) -> str:
    """Returns a time as links have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
