"""Arranges the items of an operation as a tree, as the transaction view of Application Insights does."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_WIDTH = 79
_KINDS = {
    "RequestData": "request",
    "RemoteDependencyData": "dependency",
    "EventData": "event",
    "MetricData": "metric",
    "ExceptionData": "exception",
    "MessageData": "trace",
}


@dataclass(slots=True, eq=False)
class Item:
    """One item of telemetry, and the items below it in order of time. Ids are empty if the item has none."""

    kind: str
    name: str
    detail: str
    time: str
    operation_id: str
    span_id: str
    parent_id: str
    properties: Mapping[str, str]
    children: list["Item"] = field(default_factory=list)

    @property
    def correlation_id(self) -> str:
        """The correlation id, which is empty for the host's own items."""
        return self.properties.get("correlation_id", "")


def read_item(envelope: Mapping[str, Any]) -> Item:
    """Returns the item in an envelope of the ingestion service, without children."""
    base, tags = envelope["data"]["baseData"], envelope["tags"]
    kind = _KINDS[envelope["data"]["baseType"]]
    if kind == "dependency" and base["type"] == "InProc":
        kind = "span"
    name, detail = _described(kind, base)
    return Item(
        kind=kind,
        name=name,
        detail=detail,
        time=envelope["time"],
        operation_id=tags.get("ai.operation.id", ""),
        span_id=base.get("id", ""),
        parent_id=tags.get("ai.operation.parentId", ""),
        properties=base.get("properties") or {},
    )


def trees_of(envelopes: Sequence[Mapping[str, Any]]) -> dict[str, list[Item]]:
    """Returns the roots of each operation by its id: items without a parent, and those whose parent is missing."""
    items = sorted(map(read_item, envelopes), key=lambda item: item.time)
    spans = {(item.operation_id, item.span_id): item for item in items if item.span_id}
    roots: dict[str, list[Item]] = {}
    for item in items:
        parent = spans.get((item.operation_id, item.parent_id))
        if parent is not None:
            parent.children.append(item)
        elif item.operation_id:
            roots.setdefault(item.operation_id, []).append(item)
    return roots


def walk(item: Item) -> Iterator[Item]:
    """Yields the item and all items below it."""
    yield item
    for child in item.children:
        yield from walk(child)


def orphans(envelopes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the faults in the parents of items and in the ids of spans. The result is empty if there are none.

    The span of a queue function's run must name the operation in which the host reports that run.
    """
    problems = []
    for operation_id, roots in trees_of(envelopes).items():
        problems += [
            f"{item.kind} {item.name} of operation {operation_id}: there is no parent {item.parent_id or 'named'}"
            for item in roots
            if item.parent_id or item.kind != "request"
        ]
    items = [read_item(envelope) for envelope in envelopes]
    reported = {(item.operation_id, item.name) for item in items if item.kind == "request"}
    for item in items:
        host = item.properties.get("host_operation_id")
        if host is not None and (host, item.name) not in reported:
            problems.append(f"{item.kind} {item.name}: the host has no request in the operation {host}")
    spans = Counter(item.span_id for item in items)
    twice = sorted(span for span, number in spans.items() if span and number > 1)
    return problems + [f"the span {span} arrived more than once" for span in twice]


def faults_of_job(envelopes: Sequence[Mapping[str, Any]], job_id: str, correlation_id: str) -> list[str]:
    """Returns why the items of a job are not one tree whose items all have its correlation id. Empty if they are."""
    items = [read_item(envelope) for envelope in envelopes]
    mine = {item.operation_id for item in items if _names(item, job_id, correlation_id)}
    if len(mine) != 1:
        return [f"the items of the job have {len(mine)} operations, not one: {', '.join(sorted(mine))}"]
    [operation_id] = mine
    roots = trees_of(envelopes)[operation_id]
    problems = [f"the job has {len(roots)} trees, not one"] if len(roots) != 1 else []
    return problems + [
        f"{item.kind} {item.name} has the correlation id {item.correlation_id or 'of nobody'}"
        for item in items
        if item.operation_id == operation_id
        and item.kind != "request"
        and item.correlation_id != correlation_id
    ]


def job_tree(envelopes: Sequence[Mapping[str, Any]], job_id: str) -> Item:
    """Returns the root of a job's operation.

    Raises:
        LookupError: the job has no items, or several trees.
    """
    found = [
        root
        for roots in trees_of(envelopes).values()
        for root in roots
        if any(item.properties.get("job_id") == job_id for item in walk(root))
    ]
    if len(found) != 1:
        raise LookupError(f"the job {job_id} has {len(found)} trees")
    return found[0]


def lines_of(root: Item, width: int = _WIDTH) -> Iterator[str]:
    """Yields the tree as lines of at most `width` characters. Equal neighbours are one line with their number."""
    yield _line(root, "", 1, width)
    yield from _lines_below(root, "", width)


def _lines_below(parent: Item, indent: str, width: int) -> Iterator[str]:
    groups: list[list[Item]] = []
    for child in parent.children:
        last = groups[-1][0] if groups else None
        same = last is not None and (last.kind, last.name) == (child.kind, child.name)
        if same and last is not None and not last.children and not child.children:
            groups[-1].append(child)
        else:
            groups.append([child])
    for number, group in enumerate(groups, 1):
        is_last = number == len(groups)
        yield _line(group[0], indent + ("└─ " if is_last else "├─ "), len(group), width)
        yield from _lines_below(group[0], indent + ("   " if is_last else "│  "), width)


def _line(item: Item, indent: str, number: int, width: int) -> str:
    detail = f"{number} times" if number > 1 else item.detail
    head = f"{indent}{item.kind} {item.name}"
    return f"{head:<48} {detail}".rstrip()[:width]


def _names(item: Item, job_id: str, correlation_id: str) -> bool:
    return item.properties.get("job_id") == job_id or item.correlation_id == correlation_id


def _described(kind: str, base: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the item's name, and its most important value."""
    properties: Mapping[str, str] = base.get("properties") or {}
    if kind == "metric":
        [point] = base["metrics"]
        status = properties.get("status") or properties.get("tier") or ""
        return point["name"], f"{point['value']:g} {status}".rstrip()
    if kind == "exception":
        [error, *_] = base["exceptions"]
        return error["typeName"].rpartition(".")[2], properties.get("reason") or error["message"]
    if kind == "trace":
        return "", base["message"]
    if kind == "event":
        values = (properties.get(name) for name in ("action", "reason", "operation", "tier"))
        return base["name"], next(filter(None, values), "")
    code = base.get("responseCode") or ""
    shown = f"{code}  " if code not in {"", "0"} else ""
    failed = "" if base["success"] else "  FAILED"
    return base["name"], f"{shown}{_seconds(base['duration']):.3f} s{failed}"


def _seconds(duration: str) -> float:
    """Reads a duration of the form d.hh:mm:ss.fff."""
    days, hours, rest = duration.partition(".")[0], *duration.partition(".")[2].split(":", 1)
    minutes, seconds = rest.split(":")
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)
