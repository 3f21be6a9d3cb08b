import base64
import json

import pytest

from shared.errors import Unauthenticated
from shared.users.api_keys import read_key, write_key
from shared.users.principal import read_principal

OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


def header(claims, provider="aad"):
    named = [{"typ": name, "val": value} for name, value in claims.items()]
    data = {"auth_typ": provider, "claims": named, "name_typ": "name", "role_typ": "roles"}
    return base64.b64encode(json.dumps(data).encode()).decode()


def test_a_person_is_known_by_provider_and_object_id():
    found = read_principal(header({NAME_ID: "other", OID: "42", "name": "Ann"}))
    assert (found.provider, found.subject, found.name) == ("aad", "42", "Ann")


def test_a_person_has_the_same_user_at_every_sign_in_and_another_at_another_provider():
    first = read_principal(header({"sub": "42", "name": "Ann"}))
    again = read_principal(header({"sub": "42", "name": "Anna"}))
    elsewhere = read_principal(header({"sub": "42", "name": "Ann"}, "google"))
    assert first.user_id == again.user_id != elsewhere.user_id


def test_an_object_id_counts_only_at_microsofts_provider():
    victim = read_principal(header({"sub": "42"}, "custom"))
    forged = read_principal(header({"sub": "43", "oid": "42", OID: "42"}, "custom"))
    assert (victim.subject, forged.subject) == ("42", "43")


def test_a_persons_user_can_have_keys():
    user_id = read_principal(header({"sub": "42"})).user_id
    read = read_key(write_key(user_id, "000000", bytes(32)))
    assert read is not None
    assert read.user_id == user_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        base64.b64encode(b"not json").decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"auth_typ": "aad", "claims": {}}').decode(),
        base64.b64encode(b'{"auth_typ": "aad", "claims": [{"typ": "sub", "val": 4}]}').decode(),
        base64.b64encode(b'{"claims": [{"typ": "sub", "val": "4"}]}').decode(),
        header({}),
        header({"sub": ""}),
        header({"sub": "4" * 257}),
        header({"sub": "4"}, ""),
        header({"sub": "4"}, "aad|4"),
        header({"sub": "4"}, "a" * 65),
        header({"sub": "4", "roles": "x" * 100_000}),
        "\ud800",
    ],
)
def test_a_header_that_names_nobody_is_refused(text):
    with pytest.raises(Unauthenticated):
        read_principal(text)
