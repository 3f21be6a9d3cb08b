"""Finds the methods that a path accepts in the declared endpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from functions.http.declared import Declared


@dataclass(frozen=True, slots=True)
class Routes:
    """The declared endpoints. As in the host, case does not matter in paths, and `{*rest}` takes any rest of a path."""

    declared: Sequence[Declared]

    def methods(self, path: str) -> list[str]:
        """Returns the methods that a path takes, with HEAD and OPTIONS, or none if there is no such path."""
        parts = path.strip("/").lower().split("/")
        found = {
            endpoint.method
            for endpoint in self.declared
            if _matches(endpoint.path.strip("/").lower().split("/"), parts)
        }
        return sorted(allowed_methods(found)) if found else []


def allowed_methods(declared: Iterable[str]) -> set[str]:
    """Returns the methods that are answered where these are declared."""
    found = {*declared, "OPTIONS"}
    return found | {"HEAD"} if "GET" in found else found


def _matches(template: Sequence[str], parts: Sequence[str]) -> bool:
    if template[-1].startswith("{*"):
        template, parts = template[:-1], parts[: len(template) - 1]
    return len(template) == len(parts) and all(
        part == wanted or (wanted.startswith("{") and part != "")
        for wanted, part in zip(template, parts, strict=True)
    )
