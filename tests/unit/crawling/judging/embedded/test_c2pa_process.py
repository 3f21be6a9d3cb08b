"""The process that reads C2PA manifests: nothing that happens in it harms the app, and it reaches nothing."""

import random
import threading
from typing import Any

import pytest

from shared.crawling.judging.embedded.c2pa.reader import C2paReader, ReaderCrashed
from shared.crawling.judging.embedded.check import check_embedded
from shared.crawling.judging.inspect import Opened, open_image
from shared.records.consent import Answer, Answers, Signal
from shared.records.embedded import Embedded
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.embedded.conditions import FILTERS, HEEDLESS, OPTIONS
from tests.unit.crawling.judging.embedded.files import with_segment
from tests.unit.crawling.judging.embedded.signing import signed, training

CHILD = "tests.unit.crawling.judging.embedded.misbehaving_child"
REFUSAL = training({"cawg.ai_training": "notAllowed"})


@pytest.fixture
def reader():
    found = C2paReader()
    yield found
    found.close()


@pytest.fixture
def misbehaving():
    found = C2paReader(CHILD, seconds=5.0)
    yield found
    found.close()


def check(data, reader, options=OPTIONS, answers=None):
    opened = open_image(data, FILTERS)
    assert isinstance(opened, Opened)
    return check_embedded(data, opened.header, options, answers or Answers(), reader=reader)


def test_the_process_can_open_no_socket_and_no_file_and_knows_no_settings(misbehaving, monkeypatch):
    monkeypatch.setenv("AzureWebJobsStorage", "a secret")
    found = misbehaving.read(b"", "image/jpeg")
    assert set(found.pop("environment")) <= {
        "PATH",
        "LD_LIBRARY_PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "PYTHONPATH",
    }
    assert found == {"socket": "OSError", "file": "OSError", "process": "OSError", "memory": "MemoryError"}


@pytest.mark.parametrize("behaviour", [b"crash", b"cut"])
def test_after_a_crash_the_next_file_is_read_by_a_new_process(misbehaving, behaviour):
    with pytest.raises(ReaderCrashed):
        misbehaving.read(behaviour, "image/jpeg")
    assert misbehaving.read(b"", "image/jpeg")


def test_a_process_that_hangs_is_ended():
    reader = C2paReader(CHILD, seconds=0.5)
    with pytest.raises(ReaderCrashed):
        reader.read(b"hang", "image/jpeg")
    assert reader._process is None


@pytest.mark.parametrize("behaviour", [b"garbage", b"list"])
def test_an_answer_of_another_shape_is_no_report(misbehaving, behaviour):
    assert misbehaving.read(behaviour, "image/jpeg") is None


def test_a_crash_of_the_library_is_recorded_as_the_images_rejection():
    reader = C2paReader("no.such.module")
    answers = Answers()
    rejected = check(signed("jpeg", REFUSAL), reader, answers=answers)
    assert rejected == Rejected(Reason.CRASHED, "the reader of C2PA manifests")
    assert answers.found[Signal.C2PA] is Answer.UNAVAILABLE


def test_images_without_manifests_start_no_process(reader):
    other_box = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdjson" + bytes(16)
    assert check(with_segment(0xEB, other_box), reader) == Embedded()
    assert reader._process is None


def test_threads_share_the_process(reader):
    data = [signed("jpeg", training({"cawg.ai_training": "allowed"})), signed("png", REFUSAL)]
    found: dict[int, Any] = {}

    def ask(number: int) -> None:
        found[number] = check(data[number % 2], reader, HEEDLESS)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    uses = ["cawg.ai_training: allowed", "cawg.ai_training: notAllowed"]
    assert [found[number].c2pa_training for number in range(16)] == uses * 8


def test_a_manifest_that_cannot_be_read_is_recorded_and_the_image_is_kept(reader):
    answers = Answers()
    box = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\x008\x9bq\3c2pa\0" + bytes(
        30
    )
    assert check(with_segment(0xEB, box), reader, answers=answers) == Embedded(c2pa_validity="unreadable")
    assert answers.found[Signal.C2PA] is Answer.UNAVAILABLE


def test_a_manifest_that_cannot_be_read_but_names_the_assertion_refuses(reader):
    data = signed("jpeg", REFUSAL).replace(b"c2ma\0\x11", b"c2ma\0\x12").replace(b"jumb", b"jumx")
    rejected = check(data.replace(b"jumx", b"jumb", 1), reader)
    assert rejected == Rejected(Reason.OPTED_OUT, "c2pa: c2pa.training-mining unreadable")


def test_no_damage_to_a_manifest_harms_the_app(reader):
    data = signed("jpeg", REFUSAL)
    end = data.rfind(b"\xff\xeb") + 3000
    random_numbers = random.Random(1)
    for _ in range(150):
        flawed = bytearray(data)
        for _ in range(random_numbers.randint(1, 6)):
            flawed[random_numbers.randrange(40, end)] = random_numbers.randrange(256)
        opened = open_image(bytes(flawed), FILTERS)
        if isinstance(opened, Opened):
            found = check_embedded(bytes(flawed), opened.header, OPTIONS, Answers(), reader=reader)
            assert isinstance(found, Embedded) or found.reason in {Reason.OPTED_OUT, Reason.CRASHED}
