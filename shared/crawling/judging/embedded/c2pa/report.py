"""Reads what the C2PA library reports of a file's manifests (C2PA 2.2; CAWG training and data mining 1.1).

All manifests of the file count: those of the file itself, and those of the images that it was made of. A use is refused
if any of them refuses it. The report has at most 8 MiB, so all of it is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

TRAINING_MINING = "training-mining"
_LABEL = re.compile(r"(?:c2pa|cawg)\.training-mining(?:\.v\d+)?(?:__\d+)?")
_ACTIONS = re.compile(r"c2pa\.actions(?:\.v\d+)?(?:__\d+)?")
_USE = re.compile(r"[\w.-]{1,60}")
_CONCERNED = frozenset({"data_mining", "ai_training", "ai_generative_training", TRAINING_MINING})
"""The uses that a dataset is made for, and the whole assertion if it cannot be read.

Inference is not among them, because there the image is an input of a finished model.
"""

_ALLOWED = "allowed"
_MAX_CHARACTERS = 500


class Use(NamedTuple):
    """A use such as "cawg.ai_training", and whether it is "allowed", "notAllowed" or "constrained"."""

    name: str
    use: str

    @property
    def refuses(self) -> bool:
        """Whether it refuses datasets for training. Any word but "allowed" does."""
        return self._concerns_datasets and self.use != _ALLOWED

    @property
    def allows(self) -> bool:
        """Whether it allows datasets for training."""
        return self._concerns_datasets and self.use == _ALLOWED

    @property
    def _concerns_datasets(self) -> bool:
        return self.name.rpartition(".")[2] in _CONCERNED


UNREADABLE: Final = Use(f"c2pa.{TRAINING_MINING}", "unreadable")
"""An assertion about training that cannot be read. It refuses."""


def uses_text(uses: Iterable[Use]) -> str:
    """Returns the uses as `Embedded.c2pa_training` has them, in at most 500 characters, those that refuse first."""
    text = ""
    for use in sorted(uses, key=lambda use: not use.refuses):
        longer = f"{text}, {use.name}: {use.use}" if text else f"{use.name}: {use.use}"
        # a use that is cut would be another one
        if len(longer) > _MAX_CHARACTERS:
            break
        text = longer
    return text


def stored_uses(text: str) -> tuple[Use, ...]:
    """Returns the uses in a text that `uses_text` made."""
    pairs = (part.partition(": ") for part in text.split(", ") if part)
    return tuple(Use(name, use) for name, _, use in pairs)


class Report(NamedTuple):
    """The facts about a file's manifests that are kept. `source_types` are addresses in IPTC's vocabulary."""

    generator: str
    validity: str
    source_types: tuple[str, ...]
    uses: tuple[Use, ...]


def read_report(report: Mapping[str, object]) -> Report:
    """Returns the facts in the library's report. It was made of hostile bytes, so any of its parts may be odd."""
    manifests = _mapping(report.get("manifests"))
    active = str(report.get("active_manifest"))
    # the active manifest is the newest, so it comes first
    ordered = sorted(manifests, key=lambda label: label != active)
    found = [_mapping(manifests[label]) for label in ordered]
    uses = dict.fromkeys(use for manifest in found for use in _uses(manifest))
    valid = report.get("validation_state") in {"Valid", "Trusted"}
    return Report(
        _generator(found[0]) if found else "",
        "valid" if valid else "invalid",
        tuple(text for manifest in found for text in _source_types(manifest)),
        tuple(uses),
    )


def _uses(manifest: Mapping[str, object]) -> Iterator[Use]:
    for label, data in _assertions(manifest):
        if not _LABEL.fullmatch(label):
            continue
        entries = data.get("entries")
        if not isinstance(entries, dict):
            yield UNREADABLE
            continue
        for name, entry in entries.items():
            use = entry if isinstance(entry, str) else _mapping(entry).get("use")
            # the last part of a long name says what it is about
            kept = name if _USE.fullmatch(name) else name.rpartition(".")[2]
            if _USE.fullmatch(kept):
                yield Use(kept, use if isinstance(use, str) and _USE.fullmatch(use) else "unknown")


def _source_types(manifest: Mapping[str, object]) -> Iterator[str]:
    for label, data in _assertions(manifest):
        if not _ACTIONS.fullmatch(label):
            continue
        actions = data.get("actions")
        for action in actions if isinstance(actions, list) else ():
            text = _mapping(action).get("digitalSourceType")
            if isinstance(text, str):
                yield text


def _assertions(manifest: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    assertions = manifest.get("assertions")
    for assertion in assertions if isinstance(assertions, list) else ():
        parts = _mapping(assertion)
        yield str(parts.get("label")), _mapping(parts.get("data"))


def _generator(manifest: Mapping[str, object]) -> str:
    """Returns the name and version of the program that made a claim, of version 2 or 1."""
    infos = manifest.get("claim_generator_info")
    first = _mapping(infos[0]) if isinstance(infos, list) and infos else {}
    words = [str(first[key]) for key in ("name", "version") if first.get(key)]
    return " ".join(words) or str(manifest.get("claim_generator") or "")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
