"""Timer schedules: NCRONTAB of five or six fields, or a TimeSpan."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from devhost.settings import FunctionError, StartError, seconds_of

_FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 6),
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_WEEKDAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_ITEM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires: after every `interval`, or at the moments whose fields are all in `fields`."""

    fields: tuple[frozenset[int], ...] = ()
    interval: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence after the moment, which is excluded; day and weekday must both match.

        Raises:
            FunctionError: there is none within eight years.
        """
        if self.interval is not None:
            return moment + self.interval
        seconds, minutes, hours, days, months, weekdays = self.fields
        at = moment.replace(microsecond=0) + timedelta(seconds=1)
        end = at + timedelta(days=8 * 366)
        while at < end:
            if at.month not in months or at.day not in days or (at.weekday() + 1) % 7 not in weekdays:
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in seconds:
                at += timedelta(seconds=1)
            else:
                return at
        raise FunctionError("The schedule has no occurrence within eight years.")


def parse_schedule(text: str) -> Schedule:
    """The schedule of an expression.

    Raises:
        FunctionError: it is none.
    """
    parts = text.split()
    if len(parts) == 1 and ":" in text:
        try:
            seconds = seconds_of(text)
        except StartError as error:
            raise FunctionError(str(error)) from None
        if seconds <= 0:
            raise FunctionError(f"{text!r} is no schedule: it would never pause.")
        return Schedule(interval=timedelta(seconds=seconds))
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise FunctionError(f"{text!r} is no schedule: it has {len(parts)} fields in place of 6.")
    return Schedule(tuple(_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)))


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise FunctionError(f"{text!r} is no {name} of a schedule.")
        start_text, end_text, step_text = match.groups()
        step = int(step_text or 1)
        start = low if start_text == "*" else _number(start_text, name)
        end = high if start_text == "*" or (step_text and not end_text) else start
        end = _number(end_text, name) if end_text else end
        if step < 1 or not low <= start <= end <= high:
            raise FunctionError(f"{text!r} is out of range for the {name} of a schedule.")
        values.update(range(start, end + 1, step))
    return frozenset(values)


def _number(text: str, name: str) -> int:
    names = {"month": _MONTHS, "weekday": _WEEKDAYS}.get(name, {})
    if text[:3] in names:
        return names[text[:3]]
    if not text.isdigit():
        raise FunctionError(f"{text!r} is no {name} of a schedule.")
    return int(text)
