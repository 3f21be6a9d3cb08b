"""Narrows the result of a call to the type that a test expects, and fails if it is another one."""

from shared.records.records import Rejected


def present[T](value: T | None) -> T:
    """Returns the value, which must not be None."""
    assert value is not None
    return value


def rejected(outcome: object) -> Rejected:
    """Returns the outcome, which must be a rejection."""
    assert isinstance(outcome, Rejected), outcome
    return outcome


def accepted[T](outcome: T | Rejected) -> T:
    """Returns the outcome, which must not be a rejection."""
    assert not isinstance(outcome, Rejected), outcome
    return outcome
