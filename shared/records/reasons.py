"""Explains the reasons for which candidates are rejected, in words for people.

The description of the API has these texts, and the dashboard shows them. `docs/reference/states.md` says more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.records.consent import Signal
from shared.records.records import Reason, Rejected


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in a few words, and what it means in one or two sentences."""

    title: str
    meaning: str


EXPLANATIONS: Final[Mapping[Reason, Explanation]] = {
    Reason.INVALID_URL: Explanation("Not a web address", "The address is not a plain http or https address."),
    Reason.FORBIDDEN_ADDRESS: Explanation(
        "Private address", "The address leads to a private network, which is never asked."
    ),
    Reason.ROBOTS_DENIED: Explanation("Forbidden by robots.txt", "The site asks crawlers not to fetch it."),
    Reason.OPTED_OUT: Explanation(
        "Opted out", "The site, page or file does not allow it, or somebody has opted it out."
    ),
    Reason.DNS_FAILED: Explanation(
        "Host not found", "The name of the host could not be resolved. A retry may help."
    ),
    Reason.CONNECTION_FAILED: Explanation(
        "No connection", "The host refused or closed the connection. A retry may help."
    ),
    Reason.TLS_FAILED: Explanation("Bad certificate", "The host has no valid certificate."),
    Reason.TIMED_OUT: Explanation("Too slow", "The image did not arrive in time. A retry may help."),
    Reason.TOO_MANY_REDIRECTS: Explanation(
        "Too many redirects", "The address leads on more than eight times."
    ),
    Reason.RATE_LIMITED: Explanation(
        "Host was busy", "The host asked to slow down, even after a pause. A retry may help."
    ),
    Reason.SERVER_ERROR: Explanation(
        "Host had an error", "The host answered with an error of its own. A retry may help."
    ),
    Reason.HTTP_ERROR: Explanation("Refused by the host", "The host answered, but not with the image."),
    Reason.NOT_FOUND: Explanation("Gone", "The host says that the image is not there."),
    Reason.TRANSFER_BROKEN: Explanation(
        "Broken transfer", "The file ended before its announced size. A retry may help."
    ),
    Reason.TOO_MANY_BYTES: Explanation("File too large", "The file is larger than the limit of the spec."),
    Reason.EMPTY_BODY: Explanation("Empty file", "The file has no content."),
    Reason.NOT_AN_IMAGE: Explanation("Not an image", "The file is something else, such as a web page."),
    Reason.UNSUPPORTED_FORMAT: Explanation(
        "Unknown format", "An image format that is not read, such as SVG."
    ),
    Reason.TRUNCATED: Explanation("Cut off", "The file ends too early."),
    Reason.CORRUPT: Explanation("Damaged", "The pixel data is damaged."),
    Reason.TOO_MANY_PIXELS: Explanation("Too many pixels", "The image has more pixels than the spec allows."),
    Reason.FORMAT_FILTERED: Explanation("Other format", "The spec does not ask for this format."),
    Reason.LICENSE_FILTERED: Explanation(
        "Other licence",
        "The spec does not ask for this licence, or it does not allow that faces are blurred.",
    ),
    Reason.TOO_SMALL: Explanation("Too small", "The image has fewer pixels than the spec asks for."),
    Reason.ASPECT_RATIO: Explanation(
        "Too wide or too tall", "The shape is more extreme than the spec allows."
    ),
    Reason.SCORE_FILTERED: Explanation("Score out of range", "A score is below or above the spec's limits."),
    Reason.AI_FILTERED: Explanation(
        "Made by AI or not", "The file declares, or does not declare, that AI made it."
    ),
    Reason.FACE_FILTERED: Explanation(
        "Shows a face",
        "A model found a face, and the spec drops such images or it could not be blurred.",
    ),
    Reason.NSFW_FILTERED: Explanation(
        "Not safe for work", "A model rates the image as less safe for work than the spec allows."
    ),
    Reason.DUPLICATE: Explanation("Same file", "Another image has exactly the same bytes."),
    Reason.NEAR_DUPLICATE: Explanation(
        "Looks the same", "Another image of the dataset looks the same, and is the better copy."
    ),
    Reason.PERCENTILE_FILTERED: Explanation(
        "Worse than its label", "A score is among the lowest or highest of its label, which the spec drops."
    ),
    Reason.OVER_LIMIT: Explanation("Enough already", "Its label or the dataset is full."),
    Reason.CRASHED: Explanation("Crash", "The app crashed on this file. A retry may help."),
}
"""The explanation of every reason. It says of the transient ones that a retry may help."""


def opted_out(signal: Signal, detail: str) -> Rejected:
    """Returns the rejection of an image that a signal refuses. `detail` says where and how, in a few words."""
    return Rejected(Reason.OPTED_OUT, f"{signal}: {detail}")
