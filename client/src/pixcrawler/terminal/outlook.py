"""Prints what a spec would do, for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from pixcrawler.answers import Outlook
from pixcrawler.plain_text import plain
from pixcrawler.terminal.output import print_fields, say, size_text

_LEAST_COST = 0.01
# a server that is not to be trusted may send infinity, or what is no number
_NO_AMOUNT = 1e18


def print_outlook(outlook: Outlook) -> None:
    """Prints whether the spec would be accepted, why not, and its estimated size, duration and cost."""
    say("The spec would be accepted." if outlook.accepted else "The spec would be refused:")
    for refusal in _objects(outlook.refusals):
        say(f"  {plain(refusal.get('detail'))}")
        for error in _objects(refusal.get("errors")):
            say(f"    {plain(error.get('field'))} {plain(error.get('message'))}")
    for warning in _objects(outlook.warnings):
        say(f"! {plain(warning.get('field'))} {plain(warning.get('message'))}")
    if outlook.accepted:
        print_fields(dict(_numbers(outlook)))


def _numbers(outlook: Outlook) -> Iterator[tuple[str, str]]:
    if outlook.images_max is not None:
        yield "images", f"at most {outlook.images_max:,}"
    estimate = outlook.estimate
    if estimate is None:
        return
    candidates = estimate.get("candidates")
    if isinstance(candidates, int):
        yield "candidates", f"about {candidates:,}"
    size = _amount(estimate, "size_bytes")
    if size is not None:
        yield "size", f"about {size_text(int(size))}"
    seconds = _amount(estimate, "duration_seconds")
    if seconds is not None:
        yield "duration", _duration(seconds)
    cost = estimate.get("job_cost")
    if isinstance(cost, int | float) and abs(cost) < _NO_AMOUNT:
        prices = estimate.get("prices")
        currency = prices.get("currency", "") if isinstance(prices, dict) else ""
        amount = f"about {cost:,.2f}" if cost >= _LEAST_COST else f"under {_LEAST_COST}"
        yield "cost on Azure", f"{amount} {currency}".strip()


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"about {seconds:.0f} seconds"
    minutes = seconds / 60
    return f"about {minutes:.0f} minutes" if minutes < 100 else f"about {minutes / 60:.0f} hours"


def _amount(estimate: Mapping[str, object], name: str) -> float | None:
    part = estimate.get(name)
    amount = part.get("amount") if isinstance(part, dict) else None
    return float(amount) if isinstance(amount, int | float) and abs(amount) < _NO_AMOUNT else None


def _objects(items: object) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
