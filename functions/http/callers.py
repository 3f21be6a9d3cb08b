"""Identifies the caller, checks the scopes of the key, and finds the user that the call concerns."""

from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.declared import PUBLIC, Declared
from shared.errors import Forbidden, NotFound
from shared.ids import is_plain_id
from shared.text.strict_json import shown
from shared.users.caller import PRINCIPAL_HEADER, Caller, Scope
from shared.wiring import App

ME: Final = "me"
"""In place of the caller's own id in a path."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_OWN_PAGES = frozenset({"same-origin", "none"})


async def identify(services: App, request: func.HttpRequest) -> Caller:
    """Returns who calls, by an API key or by App Service authentication. The key counts if there are both.

    Raises:
        Unauthenticated: the call has no valid key and no trusted sign-in.
        Forbidden: another website made a signed-in browser call.
    """
    key, principal = request.headers.get("x-api-key"), request.headers.get(PRINCIPAL_HEADER)
    if key or not principal or services.sign_in is None:
        return await services.access.identify(key)
    _check_origin(services, request)
    return await services.sign_in.identify(principal)


def check_scope(caller: Caller, declared: Declared) -> None:
    """Checks that the caller may call the endpoint.

    Raises:
        Forbidden: the caller does not have the scope.
    """
    if declared.scope is not PUBLIC and declared.scope not in caller.scopes:
        raise Forbidden(f"This call needs a key with the scope '{declared.scope}'.")


def user_of(request: func.HttpRequest, declared: Declared, caller: Caller) -> str:
    """Returns the id of the user whom the call concerns: the caller, or the user who is named in the path.

    Raises:
        NotFound: the path names another user, and the caller is no administrator. There may be such a user or not.
    """
    if declared.user is None:
        return caller.user_id
    named = request.route_params.get(declared.user) or ""
    if named in {ME, caller.user_id}:
        return caller.user_id
    if Scope.ADMIN not in caller.scopes or not is_plain_id(named):
        raise NotFound(f"There is no user {shown(named)}.")
    return named


def _check_origin(services: App, request: func.HttpRequest) -> None:
    """Refuses changes that pages of other sites make, as the browser adds the cookie of the sign-in to their calls.

    Browsers say in `Sec-Fetch-Site` whose page makes the call (https://www.w3.org/TR/fetch-metadata/). Older ones only
    name its origin. Pages of origins that may send credentials by the settings are allowed.
    """
    settings, origin = services.settings, request.headers.get("Origin")
    if settings.cors_allow_credentials and origin in settings.allowed_origins:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in _OF_OWN_PAGES
    else:
        is_own = origin is None or origin.partition("://")[2] == urlsplit(request.url).netloc
    if request.method not in _SAFE_METHODS and not is_own:
        raise Forbidden("A page of another site made this call. Such calls need an API key.")
