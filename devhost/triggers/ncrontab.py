"""Reads timer schedules: NCRONTAB of five or six fields, or a TimeSpan."""

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
    """A timer schedule. It fires after every `interval`, or at the times whose fields are all in `fields`.

    `fields` are second, minute, hour, day, month and weekday (0 is Sunday).
    """

    fields: tuple[frozenset[int], ...] = ()
    interval: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime:
        """Returns the first time that is later than `moment`. Day and weekday must both match.

        Raises:
            FunctionError: there is no such time within eight years.
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
    """Returns the schedule of an expression.

    Raises:
        FunctionError: the expression is not valid.
    """
    parts = text.split()
    if len(parts) == 1 and ":" in text:
        try:
            seconds = seconds_of(text)
        except StartError as error:
            raise FunctionError(str(error)) from None
        if seconds <= 0:
            raise FunctionError(f"The schedule is {text!r}; it must be longer than zero.")
        return Schedule(interval=timedelta(seconds=seconds))
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise FunctionError(f"The schedule {text!r} has {len(parts)} fields; it must have 5 or 6.")
    return Schedule(tuple(_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)))


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise FunctionError(f"The {name} of the schedule is {text!r}, which is not valid.")
        start_text, end_text, step_text = match.groups()
        step = int(step_text or 1)
        start = low if start_text == "*" else _number(start_text, name)
        end = high if start_text == "*" or (step_text and not end_text) else start
        end = _number(end_text, name) if end_text else end
        if step < 1 or not low <= start <= end <= high:
            raise FunctionError(f"The {name} of the schedule is {text!r}; it must be {low} to {high}.")
        values.update(range(start, end + 1, step))
    return frozenset(values)


def _number(text: str, name: str) -> int:
    names = {"month": _MONTHS, "weekday": _WEEKDAYS}.get(name, {})
    if text[:3] in names:
        return names[text[:3]]
    if not text.isdigit():
        raise FunctionError(f"The {name} of the schedule is {text!r}, which is not valid.")
    return int(text)
