"""Producers' messages are read in every form that their tools give them."""

import base64
import json
import textwrap

import pytest

from shared.errors import InvalidRequest
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import Envelope, read_envelope
from shared.jobs.job.states import State

# `>>>???` makes base64 that has + and /, long enough for several lines of it
SPEC = {
    "job_id": "mine-1",
    "name": ">>>??? 猫 😀 é",
    "keywords": ["cat", "x" * 150],
    "sources": [{"type": "fake"}],
}
TEXT = json.dumps(SPEC, ensure_ascii=False)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


def _lines(text, width, ending):
    return ending.join(textwrap.wrap(text, width)) + ending


PACKINGS = {
    "one line": lambda text: text,
    "lines of 76": lambda text: _lines(text, 76, "\n"),
    "lines of 64 as Windows ends them": lambda text: _lines(text, 64, "\r\n"),
    "lines ended as old Macs did": lambda text: _lines(text, 76, "\r"),
    "indented lines": lambda text: _lines(text, 76, "\n\t "),
    "without padding": lambda text: text.rstrip("="),
    "for urls": lambda text: text.translate(str.maketrans("+/", "-_")),
    "for urls, without padding": lambda text: text.translate(str.maketrans("+/", "-_")).rstrip("="),
    "white space around": lambda text: f" \r\n{text}\n\n",
    "a mark before": lambda text: f"\ufeff{text}",
}


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("length", range(3))
def test_base64_of_any_make_is_read(encoding, pack, length):
    text = TEXT + " " * length  # each remainder of the length divided by three
    packed = pack(base64.b64encode(text.encode(encoding)).decode())
    assert decode_json(packed) == decode_json(packed.encode()) == SPEC


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("around", ["", " ", "\r\n", "\n\n\t"])
def test_plain_json_of_any_encoding_is_read_with_white_space_around_it(encoding, around):
    text = f"{around}{TEXT}{around}"
    assert decode_json(text.encode(encoding)) == SPEC
    assert decode_json(text) == decode_json(f"\ufeff{text}") == decode_json(f"{around}\ufeff{TEXT}") == SPEC


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        "\ufeff",
        "what is this",
        "{",
        "{}x",
        "=",
        "====",
        "e30=e30=",
        "e30===",
        "e",
        base64.b64encode(b"no json").decode(),
        base64.b64encode(b'{"a": "\xff"}').decode(),
        base64.b64encode(b'"\xff\xfe').decode(),
        b"\xff\xff\xff",
        b'{"a": "\xe9"}',
        "[" * 100_000,
        base64.b64encode(b"[" * 100_000).decode(),
    ],
)
def test_what_is_neither_json_nor_base64_of_it_is_refused(message):
    with pytest.raises(InvalidRequest, match="not JSON"):
        decode_json(message)
    assert read_envelope(message) == Envelope()


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
async def test_a_packed_spec_becomes_the_job_that_it_asks_for(flow, pack):
    packed = pack(base64.b64encode(TEXT.encode("utf-8-sig")).decode())
    await flow.intake.handle_job("m1", packed, flow.deadline())
    assert (await flow.jobs.require("admin", "mine-1")).state is State.QUEUED


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
async def test_a_packed_list_of_images_becomes_the_job_that_it_asks_for(flow, pack):
    asked = json.dumps({"job_id": "mine-1", "images": ["inputs/cats/1.jpg"] * 9}).encode("utf-16")
    await flow.intake.handle_archive("m1", pack(base64.b64encode(asked).decode()), flow.deadline())
    assert (await flow.jobs.require("admin", "mine-1")).state is State.QUEUED
