"""HTTP functions with pages for browsers: the dashboard, and the description of the API."""

import asyncio
import secrets

from functions.http.call import Answer, Call, Text
from functions.http.declared import PUBLIC, Declared, Parameter, Reply
from functions.http.endpoint import Endpoints
from functions.http.pages.assets import ASSETS, asset, page
from functions.http.pages.dashboard import DIGEST_PATTERN, dashboard_files
from shared.errors import NotFound
from shared.users.caller import PRINCIPAL_HEADER

endpoints = Endpoints()

_HTML = "text/html"
_NONCE_BYTES = 16
# scripts, styles and calls of the app itself, and nothing else
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_POLICY_HEADER = {"Content-Security-Policy": Parameter("What the page may load: only what the app serves.")}
_SCRIPT_OR_STYLE = Reply("text/javascript", "The file.", other_media_type="text/css")
# what is under a path with its digest never changes, and is the same for everybody
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@endpoints.serve(
    Declared("GET", "", {200: Reply(_HTML, "The page.", _POLICY_HEADER)}, scope=PUBLIC, revalidates=True)
)
async def show_dashboard(call: Call) -> Answer:
    """Answers the dashboard: a page that submits jobs, and shows jobs and datasets."""
    sign_in = "off"
    if call.app.sign_in is not None:
        # the platform names the person to whom the browser's cookie belongs
        sign_in = "done" if call.request.headers.get(PRINCIPAL_HEADER) else "offered"
    files = await asyncio.to_thread(dashboard_files)
    # pictures are read with the key, which only scripts can send, and shown as blobs
    policy = _POLICY.replace("img-src 'self' data:", "img-src 'self' data: blob:")
    return _page("dashboard.html", policy, sign_in=sign_in, files=f"dashboard/{files.digest}")


@endpoints.serve(
    Declared(
        "GET", "report", {200: Reply(_HTML, "The page.", _POLICY_HEADER)}, scope=PUBLIC, revalidates=True
    )
)
async def show_report(call: Call) -> Answer:
    """Answers the page of the dashboard that shows the report of a dataset, whose id stands behind `#` in the address.

    The report has styles and pictures within itself. It inherits this page's policy, and no script runs in it.
    """
    del call
    files = await asyncio.to_thread(dashboard_files)
    policy = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; frame-src blob:"
    return _page("report.html", policy, files=f"dashboard/{files.digest}")


@endpoints.serve(
    Declared(
        "GET",
        "dashboard/{digest}/{folder}/{name}",
        {200: _SCRIPT_OR_STYLE},
        scope=PUBLIC,
        in_path={
            "digest": Parameter(
                "The digest of all files of the dashboard.", {"type": "string", "pattern": DIGEST_PATTERN}
            ),
            "folder": Parameter("The folder of the file.", {"type": "string", "pattern": "^[a-z_]+$"}),
            "name": Parameter("The name of the file.", {"type": "string", "pattern": "^[a-z_]+\\.(js|css)$"}),
        },
        errors=(NotFound,),
        # a first visit loads some thirty files, and several people may share an address
        is_counted=False,
    )
)
async def dashboard_file(call: Call) -> Answer:
    """Answers a script or a style of the dashboard, which browsers keep. Another digest is another version's."""
    digest, folder, name = (call.request.route_params.get(each, "") for each in ("digest", "folder", "name"))
    files = await asyncio.to_thread(dashboard_files)
    text = files.texts.get(f"{folder}/{name}")
    if digest != files.digest or text is None:
        raise NotFound("There is no such file in this version of the dashboard. Load the page again.")
    media_type = "text/css" if name.endswith(".css") else "text/javascript"
    return Answer(Text(text, media_type), headers=dict(_FOREVER))


@endpoints.serve(Declared("GET", "docs", {200: Reply(_HTML, "The page.", _POLICY_HEADER)}, scope=PUBLIC))
async def show_docs(call: Call) -> Answer:
    """Answers a page that shows the API with Swagger UI, and makes calls with your key."""
    del call
    return _page("docs.html", _POLICY)


@endpoints.serve(Declared("GET", "redoc", {200: Reply(_HTML, "The page.", _POLICY_HEADER)}, scope=PUBLIC))
async def show_redoc(call: Call) -> Answer:
    """Answers a page that shows the API with Redoc."""
    del call
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    # Redoc searches in a worker that it makes of a blob
    policy = _POLICY.replace("style-src 'self'", f"style-src 'nonce-{nonce}'") + "; worker-src blob:"
    return _page("redoc.html", policy, nonce=nonce)


@endpoints.serve(
    Declared(
        "GET",
        "pages/{file}",
        {200: _SCRIPT_OR_STYLE},
        scope=PUBLIC,
        in_path={"file": Parameter("The name of the file.", {"type": "string", "enum": list(ASSETS)})},
        errors=(NotFound,),
        revalidates=True,
    )
)
async def page_file(call: Call) -> Answer:
    """Answers a script or a style of the pages that show the API."""
    name = call.request.route_params.get("file") or ""
    if name not in ASSETS:
        raise NotFound("There is no such file.")
    text = await asyncio.to_thread(asset, name)
    return Answer(Text(text, ASSETS[name].media_type))


def _page(name: str, policy: str, **values: str) -> Answer:
    text = page(name)
    for place, value in values.items():
        text = text.replace(f"{{{place}}}", value)
    return Answer(Text(text, _HTML), headers={"Content-Security-Policy": policy})
