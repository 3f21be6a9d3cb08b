"""The secrets that sign webhooks: made once, rotated with an overlap, and never shown by accident."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest

from shared.errors import Conflict
from shared.jobs.webhooks.signing_secrets import MAX_OLD_SECRETS, SigningSecrets
from shared.storage.memory.entities import MemoryEntities
from tests.unit.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def secrets(clock):
    return SigningSecrets(MemoryEntities(), clock)


async def test_a_secret_has_the_form_of_the_standard(secrets):
    text = (await secrets.ensure("ann")).current.text
    assert text.startswith("whsec_")
    assert 24 <= len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) <= 64


async def test_a_user_has_one_secret_however_many_ask_at_the_same_time(secrets):
    assert await secrets.find("ann") is None
    found = await asyncio.gather(*(secrets.ensure("ann") for _ in range(10)))
    assert len({keys.current.text for keys in found}) == 1
    assert await secrets.find("ann") == found[0]
    assert (await secrets.ensure("bob")).current.text != found[0].current.text


async def test_an_old_secret_signs_until_the_overlap_ends(secrets, clock):
    old = (await secrets.ensure("ann")).current.text
    new = (await secrets.rotate("ann")).current.text
    clock.advance(24 * 3600 - 1)
    keys = await secrets.find("ann")
    assert (keys.current.text, [each.text for each in keys.old]) == (new, [old])
    clock.advance(1)
    keys = await secrets.find("ann")
    assert (keys.current.text, list(keys.old)) == (new, [])


async def test_without_an_overlap_no_old_secret_signs_any_more(secrets):
    for _ in range(2):
        await secrets.rotate("ann")
    keys = await secrets.rotate("ann", timedelta())
    assert list(keys.old) == []
    assert await secrets.find("ann") == keys


async def test_a_rotation_makes_the_first_secret_too(secrets):
    keys = await secrets.rotate("ann")
    assert list(keys.old) == []
    assert await secrets.ensure("ann") == keys


async def test_at_most_three_old_secrets_sign_and_none_is_dropped_silently(secrets, clock):
    made = [(await secrets.ensure("ann")).current.text]
    made += [(await secrets.rotate("ann")).current.text for _ in range(MAX_OLD_SECRETS)]
    with pytest.raises(Conflict, match="3 old secrets still sign"):
        await secrets.rotate("ann")
    keys = await secrets.find("ann")
    assert [keys.current.text, *(each.text for each in keys.old)] == made[::-1]
    clock.advance(24 * 3600)
    assert len((await secrets.rotate("ann")).old) == 1


async def test_rotations_at_the_same_time_lose_no_secret(secrets):
    first = (await secrets.ensure("ann")).current.text
    made = await asyncio.gather(*(secrets.rotate("ann") for _ in range(3)))
    keys = await secrets.find("ann")
    stored = {keys.current.text, *(each.text for each in keys.old)}
    assert stored == {first, *(each.current.text for each in made)}


async def test_a_deleted_users_secrets_are_gone(secrets):
    await secrets.ensure("ann")
    await secrets.ensure("bob")
    for _ in range(2):
        await secrets.erase("ann")
    assert await secrets.find("ann") is None
    assert await secrets.find("bob") is not None


async def test_no_representation_has_a_secret(secrets):
    keys = await secrets.ensure("ann")
    text = keys.current.text.removeprefix("whsec_")
    for shown in (repr(keys), str(keys), f"{keys.current}", json.dumps(keys, default=repr)):
        assert text not in shown
