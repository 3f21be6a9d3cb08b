"""Reads and stores the URL and the key of the command line. No other module reads the environment and the user's file.

`PIXCRAWLER_URL` and `PIXCRAWLER_API_KEY` come before what `pixcrawler login` has stored. A stored key is sent only to
the URL that it was stored with.
"""

import contextlib
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pixcrawler.errors import NotConfigured, WrongUse

_MAX_BYTES = 100_000


@dataclass(frozen=True)
class Login:
    """A URL and its key. Each is empty if nobody has set it. The key is left out of `repr`."""

    url: str = ""
    api_key: str = field(default="", repr=False)


def config_path() -> Path:
    """Returns the path of the user's file, which `PIXCRAWLER_CONFIG` overrides."""
    if chosen := os.environ.get("PIXCRAWLER_CONFIG"):
        return Path(chosen)
    variable, default = ("APPDATA", "~") if os.name == "nt" else ("XDG_CONFIG_HOME", "~/.config")
    return Path(os.environ.get(variable) or default).expanduser() / "pixcrawler" / "login.json"


def allows_http() -> bool:
    """Whether the key may be sent over the network without encryption."""
    return os.environ.get("PIXCRAWLER_ALLOW_HTTP") == "1"


def find_login(url: str | None = None) -> Login:
    """Returns the URL and the key to use. `url` comes before the environment.

    Raises:
        NotConfigured: the URL or the key is missing.
    """
    wanted = url or os.environ.get("PIXCRAWLER_URL") or ""
    key = key_of_environment()
    # with the URL and the key given, a damaged file does not matter
    stored = Login() if wanted and key else _stored()
    wanted = wanted or stored.url
    if not wanted:
        raise NotConfigured("No app is known. Sign in with `pixcrawler login URL`, or set PIXCRAWLER_URL.")
    if not key and _same(wanted, stored.url):
        key = stored.api_key
    if not key:
        raise NotConfigured(f"No key for {wanted} is known. Sign in with `pixcrawler login {wanted}`.")
    return Login(wanted, key)


def key_of_environment() -> str:
    """Returns the key in `PIXCRAWLER_API_KEY`, or an empty text."""
    return os.environ.get("PIXCRAWLER_API_KEY") or ""


def key_of_local_stack(clone: Path) -> str:
    """Returns the administrator's key of the local stack of a clone, as `make start` chooses it.

    Raises:
        WrongUse: the file with the key cannot be read.
    """
    if chosen := os.environ.get("ADMIN_API_KEY"):
        return chosen
    path = clone / ".local" / "api-key"
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_BYTES).strip()
    except (OSError, ValueError) as error:
        raise WrongUse(f"{path} cannot be read: {error}.") from error


def store(login: Login) -> Path:
    """Stores a URL and its key in the user's file, which nobody else may read. Returns its path.

    Raises:
        WrongUse: the file cannot be written.
    """
    path = config_path()
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # the file has its mode from the moment it is made
            number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump({"url": login.url, "api_key": login.api_key}, file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WrongUse(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def forget() -> bool:
    """Deletes what is stored. Returns whether there was something.

    Raises:
        WrongUse: the file cannot be deleted.
    """
    path = config_path()
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise WrongUse(f"{path} cannot be deleted: {error.strerror or error}.") from error
    return True


def _stored() -> Login:
    path = config_path()
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return Login()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror or error}.") from error
    if os.name != "nt" and stat.S_IMODE(mode) & 0o077:
        raise WrongUse(f"{path} has a key and may be read by others. Run: chmod 600 '{path}'")
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        found = cast("dict[str, Any]", json.loads(text))
        return Login(str(found["url"]), str(found["api_key"]))
    raise WrongUse(f"{path} is damaged. Sign in again with `pixcrawler login URL`.")


def _same(one: str, other: str) -> bool:
    return bool(other) and one.rstrip("/") == other.rstrip("/")
