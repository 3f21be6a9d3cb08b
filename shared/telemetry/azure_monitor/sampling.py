"""Which operations are sent: each as a whole, or not at all."""


def is_sampled(operation_id: str, rate: float) -> bool:
    """Whether an operation is sent at a `rate` from 0 to 1. Every process comes to the same answer."""
    return _score(operation_id) < rate


def _score(operation_id: str) -> float:
    """From 0 to 1: the DJB hash by which the SDKs of Application Insights sample operations."""
    text = operation_id or "0"
    while len(text) < 8:
        text += text
    total = 5381
    for character in text:
        total = ((total << 5) + total + ord(character)) & 0xFFFFFFFF
        total -= 0x100000000 if total & 0x80000000 else 0
    total = 0x7FFFFFFF if total == -0x80000000 else abs(total)
    return total / 0x80000000
