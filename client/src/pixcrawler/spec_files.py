"""Reads specs from files, from standard input and from flags."""

import json
import sys
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

from pixcrawler.errors import WrongUse

_MAX_BYTES = 10_000_000
_MOST_LABELS = 4
_MOST_OF_A_LABEL = 40


def read_spec(name: str) -> dict[str, Any]:
    """Returns the spec in a file of JSON or YAML, or in standard input if the name is `-`.

    Raises:
        WrongUse: the file cannot be read, or has no spec.
    """
    try:
        if name == "-":
            content = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise WrongUse(f"{name} cannot be read: {error.strerror or error}.") from error
    if len(content) > _MAX_BYTES:
        raise WrongUse(f"{name} has more than {_MAX_BYTES:,} bytes.")
    try:
        text = content.decode("utf-8-sig")
        spec = _read_json(text) if name.lower().endswith(".json") else _read_json_or_yaml(text)
        # what JSON cannot say, such as a date of YAML, is refused here
        json.dumps(spec, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise WrongUse(f"{name} is no spec: {error}") from error
    if not _has_texts_as_names(spec):
        raise WrongUse(
            f"{name} has a name that YAML does not read as a text, such as no, 1 or null. Put it in quotes."
        )
    if not isinstance(spec, dict):
        raise WrongUse(f"{name} is no spec: it must be an object with labels, keywords or sources.")
    return cast("dict[str, Any]", spec)


def labels_of(texts: Sequence[str]) -> dict[str, list[str]]:
    """Returns the labels with their keywords. A text is `label=keyword,keyword`, or a label that is its own keyword.

    Raises:
        WrongUse: a label is given twice, or has no keyword.
    """
    labels: dict[str, list[str]] = {}
    for text in texts:
        label, equals, keywords = text.partition("=")
        words = [word.strip() for word in keywords.split(",") if word.strip()] if equals else [label]
        if not label.strip() or not words:
            raise WrongUse(f"--label {text!r} must be like cat=cat,kitten")
        if label in labels:
            raise WrongUse(f"the label {label!r} is given twice")
        labels[label] = words
    return labels


def _has_texts_as_names(value: object) -> bool:
    """Whether all names of objects are texts. JSON would write other ones as texts: the label `no` as "false"."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _has_texts_as_names(each) for name, each in value.items())
    return not isinstance(value, list) or all(map(_has_texts_as_names, value))


def name_of(labels: Collection[str]) -> str:
    """Returns a name for a dataset with these labels, such as `cat-dog`, or `dataset` without labels."""
    first = ["-".join(label.split())[:_MOST_OF_A_LABEL] for label in islice(labels, _MOST_LABELS)]
    more = [f"and-{len(labels) - len(first)}-more"] if len(labels) > len(first) else []
    return "-".join([*filter(None, first), *more]) or "dataset"


def _read_json(text: str) -> object:
    return json.loads(text)


def _read_json_or_yaml(text: str) -> object:
    """Reads JSON, or YAML without aliases, which could make a small file very large."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("aliases are not read")
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
