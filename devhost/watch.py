"""Waits for changes of an app's code and settings."""

from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

_SETTINGS = {"host.json", "local.settings.json"}


class _AppFilter(DefaultFilter):
    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path)
        hidden = any(part.startswith(".") for part in name.parts[-3:-1])
        relevant = name.suffix == ".py" or name.name in _SETTINGS
        return relevant and not hidden and super().__call__(change, path)


async def next_change(root: Path) -> str:
    """Waits until a Python file or a settings file under the folder has changed, and returns the file's name."""
    async for changes in awatch(root, watch_filter=_AppFilter(), debounce=300):
        return Path(min(path for _, path in changes)).name
    return ""
