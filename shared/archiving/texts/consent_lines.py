"""Writes CONSENT.jsonl: for each image of a dataset, which signals were looked for, when, and what they answered."""

from functools import lru_cache
from typing import Final, override

from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.metadata import Placed
from shared.records.consent import decode
from shared.text.json_lines import json_line

CONSENT_FILE: Final = "CONSENT.jsonl"


class ConsentLines(Annotation):
    """A file with one JSON object per line. `signals` has the answer of each signal that was looked for."""

    @override
    def row(self, image: Placed) -> bytes:
        consent = image.record.consent
        checked_at, code = (consent.checked_at, consent.answers) if consent is not None else ("", "")
        url = image.record.final_url or image.record.candidate.url
        head = json_line({"file_name": image.path, "url": url, "checked_at": checked_at})
        return head[:-1] + _signals(code)


@lru_cache(maxsize=4096)
def _signals(code: str) -> bytes:
    """Returns the end of a line. Most images have the same answers as many others."""
    answers = {str(signal): str(answer) for signal, answer in decode(code).items()}
    return b',"signals":' + json_line(answers) + b"}\n"
