import secrets

import pytest

from shared.users.api_keys import digest_of, prefix_of, read_key, write_key

USER, KEY = "0123456789abcdef", "zyxwvt"


def test_a_key_is_read_as_it_was_written():
    text = write_key(USER, KEY, b"\x01" * 32)
    read = read_key(text)
    assert text.startswith(prefix_of(USER, KEY) + "_")
    assert len(text) == 4 + 22 + 1 + 49
    assert read is not None
    assert (read.user_id, read.key_id) == (USER, KEY)
    assert read.digest == digest_of(text[27:70])


@pytest.mark.parametrize("secret", [b"\x00" * 32, b"\xff" * 32, secrets.token_bytes(32)])
def test_every_secret_takes_the_same_room(secret):
    assert len(write_key(USER, KEY, secret)) == 76


def test_different_secrets_make_different_keys():
    keys = {write_key(USER, KEY, number.to_bytes(32)) for number in range(1000)}
    assert len(keys) == 1000


@pytest.mark.parametrize("at", range(76))
def test_a_key_with_any_one_character_changed_is_refused(at):
    text = write_key(USER, KEY, b"\x02" * 32)
    changed = text[:at] + ("a" if text[at] != "a" else "b") + text[at + 1 :]
    assert read_key(changed) is None


KEY_TEXT = write_key(USER, KEY, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY_TEXT[:-1],
        KEY_TEXT + "0",
        KEY_TEXT + "\n",
        KEY_TEXT.upper(),
        " " + KEY_TEXT,
        KEY_TEXT.replace("0", "\uff10"),
        "\ud800",
        "pxc_" * 100_000,
    ],
)
def test_text_of_another_form_is_no_key(text):
    assert read_key(text) is None
