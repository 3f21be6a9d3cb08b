"""The pages that show the API: they load what the app serves and nothing else."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

from functions.http.pages import assets, dashboard
from functions.http.pages.assets import ASSETS, asset, copy_assets
from functions.http.pages.dashboard import dashboard_files
from tests.unit.functions.http.http_calls import Answered, Caller

ROOT = Path(__file__).parents[5]
PAGES = ["/", "/docs", "/redoc", "/report"]
_LOADED = re.compile(r'(?:src|href)="([^"]*)"')


@pytest.fixture
def stranger(caller: Caller) -> Caller:
    """A caller without a key, as a browser is."""
    return Caller(caller.app, "")


def policy_of(answered: Answered) -> dict[str, list[str]]:
    rules = (rule.split() for rule in answered.headers["Content-Security-Policy"].split(";"))
    return {rule[0]: rule[1:] for rule in rules}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_may_load_only_what_the_app_serves(stranger: Caller, page: str) -> None:
    answered = await stranger.get(page)
    policy = policy_of(answered)
    if page == "/report":
        # the report has styles within itself, which is in a frame of this page
        assert policy.pop("style-src") == ["'self'", "'unsafe-inline'"]
        assert policy["frame-src"] == ["blob:"]
    assert (answered.status, policy["default-src"], policy["script-src"]) == (200, ["'none'"], ["'self'"])
    allowed = {"'self'", "'none'", "data:", "blob:"}
    others = {source for sources in policy.values() for source in sources} - allowed
    assert all(source.startswith("'nonce-") for source in others)
    assert answered.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_script_of_its_own_and_its_files_are_served(stranger: Caller, page: str) -> None:
    html = (await stranger.get(page)).text
    assert re.search(r"<script>|<style|\bon\w+=|javascript:|//", html) is None
    files = [name for name in _LOADED.findall(html) if name[0] != "#" and name != "data:,"]
    assert len(files) >= 2
    for file in files:
        served = await stranger.get(f"/{file}")
        assert served.status == 200, file


async def test_the_nonce_for_styles_is_another_one_each_time(stranger: Caller) -> None:
    nonces = set()
    for _ in range(3):
        answered = await stranger.get("/redoc")
        [source] = policy_of(answered)["style-src"]
        nonce = source.removeprefix("'nonce-").removesuffix("'")
        assert f'data-nonce="{nonce}"' in answered.text
        nonces.add(nonce)
    assert len(nonces) == 3


@pytest.mark.parametrize("file", ["unknown.js", "..", "docs.html", "%2e%2e", "assets.py", "SWAGGER-UI.CSS"])
async def test_no_other_file_is_served(stranger: Caller, file: str) -> None:
    assert (await stranger.get(f"/pages/{file}")).status == 404


async def test_a_browser_does_not_load_a_file_again_that_has_not_changed(stranger: Caller) -> None:
    first = await stranger.get("/pages/swagger-ui.css")
    assert first.headers["ETag"]
    again = await stranger.get("/pages/swagger-ui.css", If_None_Match=first.headers["ETag"])
    assert (again.status, again.text) == (304, "")


async def test_a_browser_keeps_files_of_the_dashboard_but_asks_for_the_page_each_time(
    stranger: Caller,
) -> None:
    page = await stranger.get("/")
    assert page.headers["Cache-Control"] == "private, no-cache"
    again = await stranger.get("/", If_None_Match=page.headers["ETag"])
    assert (again.status, again.headers["Content-Security-Policy"]) == (
        304,
        page.headers["Content-Security-Policy"],
    )
    [script] = re.findall(r'src="(dashboard/[^"]+)"', page.text)
    served = await stranger.get(f"/{script}")
    assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served.media_type == "text/javascript"
    # a cache may answer everybody with it
    assert "Vary" not in served.headers


async def test_files_of_another_version_of_the_dashboard_are_not_found_and_not_kept(stranger: Caller) -> None:
    digest = dashboard_files().digest
    for path in (f"{'0' * 16}/frame/app.js", f"{digest}/frame/unknown.js", f"{digest}/../app.js"):
        answered = await stranger.get(f"/dashboard/{path}")
        assert (answered.status, answered.headers["Cache-Control"]) == (404, "no-store")


def test_the_digest_names_what_the_files_contain_and_what_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "FOLDER", tmp_path)
    read = dashboard_files.__wrapped__
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.js").write_text("1")
    first = read()
    assert (read(), dict(first.texts)) == (first, {"parts/a.js": "1"})
    (tmp_path / "parts" / "a.js").write_text("2")
    second = read()
    (tmp_path / "parts" / "a.js").rename(tmp_path / "parts" / "b.js")
    assert len({first.digest, second.digest, read().digest}) == 3


def test_a_deployment_without_node_modules_serves_copies_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {name: asset(name) for name in ASSETS}
    monkeypatch.setattr(assets, "_COPIED", tmp_path / "copied")
    copy_assets()
    monkeypatch.setattr(assets, "_INSTALLED", tmp_path / "nowhere")
    asset.cache_clear()
    assert {name: asset(name) for name in ASSETS} == installed
    copied = {path.name for path in (tmp_path / "copied").iterdir()}
    assert copied == {name for name, found in ASSETS.items() if found.in_package}
    asset.cache_clear()


def test_copies_are_deployed_and_not_committed() -> None:
    copy = "functions/http/pages/copied/swagger-ui.css"
    ignored = subprocess.run(
        ["git", "check-ignore", "--stdin"],  # noqa: S607 - as in a shell
        input=copy.encode(),
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    assert ignored.returncode == 0
    assert not GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines()).match_file(copy)


def test_npm_packages_are_pinned_and_no_address_is_locked() -> None:
    project = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in project[kind].values())
        assert lock["packages"][""][kind] == project[kind]
    packages = [package for name, package in lock["packages"].items() if name]
    assert all(package["integrity"] and "resolved" not in package for package in packages)
