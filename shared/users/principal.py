"""Reads who calls from the header `X-MS-CLIENT-PRINCIPAL`, which App Service authentication sets.

The platform removes such headers from calls, and adds its own. They can be trusted only if App Service authentication
is switched on. So the app reads them only if its operator has set that, too.
https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from shared.errors import InvalidRequest, Unauthenticated
from shared.text.strict_json import read_json
from shared.users.api_keys import USER_ID_LENGTH, new_id
from shared.users.caller import PRINCIPAL_HEADER

MAX_HEADER_CHARACTERS: Final = 64 << 10
_PROVIDER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_SUBJECT_CHARACTERS = 256
_MAX_NAME_CHARACTERS = 100
_SCHEMAS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
# Only Microsoft's own provider says who a person is by an object id. At another, people may choose such a claim.
_MICROSOFT = "aad"
_OBJECT_IDS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_SUBJECTS = (_SCHEMAS + "nameidentifier", "sub")
_NAMES = ("name", _SCHEMAS + "name", "preferred_username", _SCHEMAS + "emailaddress", "email")


@dataclass(frozen=True, slots=True)
class Principal:
    """A person at an identity provider. `subject` is the same at every sign-in, and `name` is for people to read."""

    provider: str
    subject: str
    name: str

    @property
    def identity(self) -> str:
        """The provider and the subject in one text, as a user has it."""
        return f"{self.provider}|{self.subject}"

    @property
    def user_id(self) -> str:
        """The id of the person's user. It is computed, so that two calls at the same time make one user."""
        digest = hashlib.sha256(self.identity.encode("utf-8", "surrogatepass")).digest()
        return new_id(digest[:USER_ID_LENGTH])


def read_principal(header: str) -> Principal:
    """Returns the principal in the header, which is base64 of `{"auth_typ": …, "claims": [{"typ": …, "val": …}], …}`.

    Raises:
        Unauthenticated: the header is too long, has another form, or names nobody.
    """
    claims, provider = _read(header)
    subjects = (*_OBJECT_IDS, *_SUBJECTS) if provider == _MICROSOFT else _SUBJECTS
    subject = next((claims[name] for name in subjects if claims.get(name)), "")
    # with a divider in its name, two people could have the same identity
    if _PROVIDER.fullmatch(provider) is None or not 1 <= len(subject) <= _MAX_SUBJECT_CHARACTERS:
        raise Unauthenticated(f"The header {PRINCIPAL_HEADER} names nobody.")
    name = next((claims[name] for name in _NAMES if claims.get(name)), subject)
    return Principal(provider, subject, name[:_MAX_NAME_CHARACTERS])


def _read(header: str) -> tuple[dict[str, str], str]:
    wrong = Unauthenticated(f"The header {PRINCIPAL_HEADER} is not valid.")
    if len(header) > MAX_HEADER_CHARACTERS:
        raise wrong
    try:
        data = read_json(base64.b64decode(header, validate=True), PRINCIPAL_HEADER)
    except (binascii.Error, InvalidRequest, ValueError):
        raise wrong from None
    if not isinstance(data, dict) or not isinstance(data.get("claims"), list):
        raise wrong
    claims: dict[str, str] = {}
    for claim in data["claims"]:
        match claim:
            case {"typ": str(kind), "val": str(value)}:
                claims.setdefault(kind, value)
            case _:
                raise wrong
    provider = data.get("auth_typ")
    return claims, provider if isinstance(provider, str) else ""
