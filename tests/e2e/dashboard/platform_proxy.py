"""A proxy on loopback that does what App Service authentication does in front of an app.

It removes the header that names a person from what callers send, and adds it to the calls of a browser that has signed
in, which it recognises by a cookie. `/.auth/login/{provider}` and `/.auth/logout` set and remove the cookie
(https://learn.microsoft.com/azure/app-service/configure-authentication-customize-sign-in-out).
"""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

_COOKIE = "AppServiceAuthSession"
_HEADER = "X-MS-CLIENT-PRINCIPAL"
_OF_A_CONNECTION = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}


def principal_of(name: str) -> str:
    """Returns the header for a person of this name."""
    claims = [{"typ": "oid", "val": f"id-of-{name}"}, {"typ": "name", "val": name}]
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()


def _redirect(place: str) -> web.Response:
    return web.Response(status=302, headers={"Location": place})


@asynccontextmanager
async def platform_proxy(url: str, people: Mapping[str, str]) -> AsyncIterator[str]:
    """Serves the app at `url` behind the proxy. `people` has the person whom each provider signs in.

    Yields:
        The base URL of the proxy.
    """
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            headers = {key: text for key, text in request.headers.items() if key.lower() != _HEADER.lower()}
            if _COOKIE in request.cookies:
                headers[_HEADER] = principal_of(request.cookies[_COOKIE])
            async with session.request(
                request.method,
                f"{url}{request.raw_path}",
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                kept = {
                    key: text for key, text in answer.headers.items() if key.lower() not in _OF_A_CONNECTION
                }
                return web.Response(status=answer.status, body=body, headers=kept)

        async def login(request: web.Request) -> web.StreamResponse:
            answer = _redirect(request.query.get("post_login_redirect_uri", "/"))
            person = people[request.match_info["provider"]]
            answer.set_cookie(_COOKIE, person, httponly=True, samesite="Lax")
            return answer

        async def logout(request: web.Request) -> web.StreamResponse:
            answer = _redirect(request.query.get("post_logout_redirect_uri", "/"))
            answer.del_cookie(_COOKIE)
            return answer

        app = web.Application()
        app.router.add_get("/.auth/login/{provider}", login)
        app.router.add_get("/.auth/logout", logout)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
