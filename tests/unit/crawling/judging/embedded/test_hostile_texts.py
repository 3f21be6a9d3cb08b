"""Damaged and hostile metadata takes little time to read. A refusal in it is still found, and a good image is kept."""

import time
import zlib

import pytest

from shared.crawling.judging.embedded.png_blocks import png_blocks
from shared.crawling.judging.judge import judge
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.embedded.conditions import OPTIONS, said
from tests.unit.crawling.judging.embedded.files import (
    data_mining,
    photoshop,
    plain,
    with_png_chunk,
    with_segment,
    with_webp_chunk,
    with_xmp,
    xmp,
)

REFUSAL = data_mining("DMI-PROHIBITED")
OPTED_OUT = Rejected(Reason.OPTED_OUT, "iptc: DMI-PROHIBITED")
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
MEGABYTE = 1 << 20


def entity(value: str) -> bytes:
    return xmp("<dc:creator>&a;</dc:creator>").replace(
        b"<x:xmpmeta", f"<!DOCTYPE x [<!ENTITY a {value}>]><x:xmpmeta".encode(), 1
    )


def extended(packet: bytes, part_bytes: int = 400, guid: bytes = b"A" * 32) -> bytes:
    """Returns a JPEG with a packet of extended XMP in parts, the last one first."""
    data = plain("jpeg")
    for at in range(0, len(packet), part_bytes):
        head = EXTENSION + guid + len(packet).to_bytes(4) + at.to_bytes(4)
        data = with_segment(0xE1, head + packet[at : at + part_bytes], data)
    return data


@pytest.mark.parametrize(
    "data",
    [
        with_xmp("jpeg", REFUSAL[:-70]),
        with_xmp("jpeg", REFUSAL.replace(b"</rdf:RDF>", b"</rdf:Wrong>")),
        with_xmp("jpeg", REFUSAL.replace(b"xmlns:plus=", b"xmlns:other=")),
        with_xmp("jpeg", REFUSAL.replace(b"<x:xmpmeta", b"<!DOCTYPE x><x:xmpmeta")),
        with_xmp("jpeg", xmp("<a>" * 100 + "</a>" * 100) + REFUSAL),
        with_xmp("png", xmp("<a/>" * 50_000 + "<plus:DataMining>DMI-PROHIBITED</plus:DataMining>")),
        with_xmp("jpeg", b"\xff\xfe" + REFUSAL.decode().encode("utf-16-le")[:-140]),
        with_segment(0xE1, XMP + REFUSAL, with_xmp("jpeg", xmp())),
        extended(REFUSAL),
        extended(REFUSAL + b" " * 3 * MEGABYTE, 60_000),
        with_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(REFUSAL)),
        with_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(REFUSAL)[:-4] + b"wrong"),
        with_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(REFUSAL)[:-20]),
        with_png_chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(REFUSAL)),
        with_webp_chunk(b"XMP ", REFUSAL),
    ],
    ids=[
        "cut", "wrong end tag", "no namespace", "document type", "too deep", "too many elements", "cut UTF-16",
        "second packet", "extended", "long extended", "compressed", "wrong checksum", "cut stream", "zTXt",
        "simple WebP",
    ],
)  # fmt: skip
def test_damage_and_odd_places_hide_no_refusal(data):
    assert judge(data, OPTIONS) == OPTED_OUT


@pytest.mark.parametrize(
    "packet",
    [
        entity('"x"'),
        entity('SYSTEM "file:///etc/hostname"'),
        entity('SYSTEM "http://127.0.0.1:1/"'),
        entity('"' + "x" * 1000 + '"').replace(b"&a;", b"&a;" * 1000),
        b"",
        b"\0" * 100,
        b"<dc:creator",
        bytes(range(256)),
        xmp("<dc:creator>" * 500),
        xmp("<dc:creator>\udc80</dc:creator>".encode("utf-8", "surrogatepass").decode("latin-1")),
    ],
)
def test_broken_or_hostile_xmp_says_nothing_and_the_image_is_kept(packet):
    found = said(with_xmp("jpeg", packet), OPTIONS)
    assert not found.creator.strip("xÂí²\x80 ")
    assert len(found.creator) <= 10


def test_texts_are_bounded_on_one_line_and_without_invisible_characters():
    packet = xmp(
        f"<dc:creator>{'a' * 9000}</dc:creator><photoshop:Credit>x\u202egpj\n\u200b y</photoshop:Credit>"
        f"<xmpRights:WebStatement>javascript:alert(1)</xmpRights:WebStatement>"
        f"<plus:LicensorURL>https://a/{'b' * 2000}</plus:LicensorURL>"
        "<Iptc4xmpExt:DigitalSourceType>https://cv/&lt;b&gt;</Iptc4xmpExt:DigitalSourceType>"
    )
    found = said(with_xmp("png", packet), OPTIONS)
    assert found.creator == "a" * 500
    assert found.credit_line == "xgpj y"
    assert found.fields.keys() == {"creator", "credit_line"}


@pytest.mark.parametrize(
    "data",
    [
        with_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200 * MEGABYTE), 9)),
        with_xmp("png", xmp("<a/>" * 500_000)),
        with_xmp("png", xmp("<a " + " ".join(f'b{n}=""' for n in range(100_000)) + "/><dc:creator/>")),
        with_xmp("png", xmp("<dc:creator>" + "<rdf:li>a</rdf:li>" * 100_000 + "</dc:creator>")),
        with_segment(0xED, b"Photoshop 3.0\0" + photoshop(b"\x1c\2\x50\0\0" * 12_000)),
        with_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000),
    ],
    ids=["bomb", "elements", "attributes", "texts", "data sets", "resources"],
)
def test_metadata_that_is_made_to_cost_time_costs_little(data):
    began = time.process_time()
    said(data, OPTIONS)
    assert time.process_time() - began < 3


def test_many_segments_of_metadata_cost_little():
    records = b"Photoshop 3.0\0" + photoshop(b"\x1c\2\x50\0\0" * 12_000)
    packet = xmp("<a/>" * 15_000)
    data = plain("jpeg")
    for number in range(40):
        head = EXTENSION + f"{number:032}".encode() + bytes(8)
        data = with_segment(0xE1, head + packet, with_segment(0xED, records, data))
    began = time.process_time()
    said(data, OPTIONS)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "text",
    [
        (b"tEXt", b"Raw profile type iptc\0\n\n\n\n"),
        (b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(2 * MEGABYTE), 9)),
    ],
    ids=["empty", "bombs"],
)
def test_many_texts_of_a_png_cost_little(text):
    data = with_png_chunk(*text)
    one = data[33 : 33 + len(text[1]) + 12]
    data = data[:33] + one * (4_000_000 // len(one)) + data[33:]
    began = time.process_time()
    png_blocks(data)
    assert time.process_time() - began < 3
