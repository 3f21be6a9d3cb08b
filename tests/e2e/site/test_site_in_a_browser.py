"""The site of the documents in a real browser: readable on a phone and in the dark, searchable without the internet."""

import asyncio
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.dashboard.driver import NARROW, Browser

_SCENARIO = Path(__file__).with_name("read.mjs")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@pytest.fixture(scope="module")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    started = Browser()
    yield started
    started.close()


@pytest.mark.parametrize("options", [NARROW, {"colorScheme": "dark"}], ids=["narrow", "dark"])
async def test_a_page_can_be_read_and_found_without_another_server(browser, address, options):
    seen = await asyncio.to_thread(browser.run, _SCENARIO, {"url": address}, options)
    assert "Settings" in seen.facts["found"]
    assert seen.facts["copies"] > 0
