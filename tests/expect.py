"""Narrows what a call may return to what a test expects, and fails where it is something else."""

from shared.records.records import Rejected


def present[T](value: T | None) -> T:
    """The value, which must not be None."""
    assert value is not None
    return value


def rejected(outcome: object) -> Rejected:
    """The outcome, which must be a rejection."""
    assert isinstance(outcome, Rejected), outcome
    return outcome


def accepted[T](outcome: T | Rejected) -> T:
    """The outcome, which must be no rejection."""
    assert not isinstance(outcome, Rejected), outcome
    return outcome
