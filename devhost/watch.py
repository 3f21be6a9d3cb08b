"""Waits for changes of an app's code and settings."""

from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

_SETTINGS = {"host.json", "local.settings.json"}
# the app's code, and the files of its pages, which it reads once
_CODE = {".py", ".html", ".js", ".css"}


class _AppFilter(DefaultFilter):
    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path)
        hidden = any(part.startswith(".") for part in name.parts[-3:-1])
        relevant = name.suffix in _CODE or name.name in _SETTINGS
        return relevant and not hidden and super().__call__(change, path)


async def next_change(root: Path) -> str:
    """Waits until a file of code, pages or settings under the folder has changed, and returns its name."""
    async for changes in awatch(root, watch_filter=_AppFilter(), debounce=300):
        return Path(min(path for _, path in changes)).name
    return ""
