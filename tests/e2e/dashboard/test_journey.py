"""From the sign-in to the deletion of a dataset, by keyboard, 320 pixels wide, with hostile texts."""

import itertools
import re
from typing import Any

from tests.e2e.dashboard.driver import NARROW

_HOSTILE = "<img src=x onerror=alert(1)>"
_LABEL = "<b onclick=alert(2)>cat</b>"


async def test_a_person_makes_watches_and_deletes_a_dataset_by_keyboard(
    stack, make_key, use, gallery_with_gate
):
    key = await make_key()
    urls = [f"{gallery_with_gate}/photos/cat/{number}.jpg" for number in range(30)]
    given = {"key": key, "gallery": gallery_with_gate, "urls": urls, "name": _HOSTILE, "label": _LABEL}
    seen = await use("journey", given, NARROW)
    facts = seen.facts
    assert facts["address"] == f"{stack.url}/#/jobs"
    assert facts["stored"] == [[], ["pixcrawler.key"], ""]
    assert not any(key in call["path"] for call in seen.calls)
    assert facts["nameInJson"] == _HOSTILE
    assert facts["addressesInForm"] == len(urls)
    assert (facts["afterTheForm"]["max_images_per_label"], facts["afterTheForm"]["seed"]) == (12, 7)
    assert facts["afterTheForm"]["sources"][0]["items"][0]["label"] == _LABEL
    assert {"Too small", "Cut off", "Not an image"} <= set(facts["reasons"])
    assert (facts["labelsShown"], facts["picturesOfStrangers"]) == ([_HOSTILE, _LABEL], 0)
    assert (facts["images"], facts["deletedByEscape"], facts["focusAfterEscape"]) == ("12", False, "Delete")
    assert set(facts["pictures"]) == {"blob:"}
    assert any(call["status"] == 429 for call in seen.calls)
    assert facts["newKey"].startswith("pxc_")
    assert facts["link"].startswith("http://127.0.0.1")
    _check_reads_of_the_job(seen.calls)


def _check_reads_of_the_job(calls: list[dict[str, Any]]) -> None:
    """The page reads a job when `Retry-After` says so, and asks only for changes."""
    submitted = next(at for at, call in enumerate(calls) if (call["method"], call["status"]) == ("POST", 201))
    reads = [call for call in calls[submitted:] if re.fullmatch(r"/api/v1/jobs/\w+", call["path"])]
    assert len(reads) >= 3
    assert all(read["conditional"] for read in reads[1:])
    for earlier, later in itertools.pairwise(reads):
        # both times are the browser's, so a busy machine only makes the wait longer
        assert later["startedAt"] - earlier["endedAt"] > earlier["retryAfter"] - 0.1
