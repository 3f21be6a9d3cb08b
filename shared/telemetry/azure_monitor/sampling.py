"""Decides which operations are sent. All items of an operation are sent, or none."""


def is_sampled(operation_id: str, rate: float) -> bool:
    """Returns whether an operation is sent at a `rate` from 0 to 1. Every process decides the same."""
    return _score(operation_id) < rate


def _score(operation_id: str) -> float:
    """Returns a number from 0 to 1: the DJB hash that the SDKs of Application Insights use for sampling."""
    text = operation_id or "0"
    while len(text) < 8:
        text += text
    total = 5381
    for character in text:
        total = ((total << 5) + total + ord(character)) & 0xFFFFFFFF
        total -= 0x100000000 if total & 0x80000000 else 0
    total = 0x7FFFFFFF if total == -0x80000000 else abs(total)
    return total / 0x80000000
