"""Reload on change: the app's code and settings."""

from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

_SETTINGS = {"host.json", "local.settings.json"}


class _AppFilter(DefaultFilter):
    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path)
        hidden = any(part.startswith(".") for part in name.parts[-3:-1])
        mine = name.suffix == ".py" or name.name in _SETTINGS
        return mine and not hidden and super().__call__(change, path)


async def next_change(root: Path) -> str:
    """Wait until a Python file or a settings file under the folder has changed; the file's name."""
    async for changes in awatch(root, watch_filter=_AppFilter(), debounce=300):
        return Path(min(path for _, path in changes)).name
    return ""
