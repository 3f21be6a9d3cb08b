"""Reading a C2PA manifest asks no server, whatever the file names."""

import socket

import pytest

from tests.unit.crawling.judging.embedded.conditions import said
from tests.unit.crawling.judging.embedded.files import with_xmp, xmp
from tests.unit.crawling.judging.embedded.signing import signed


class Server:
    """Listens on loopback. `called` is true if anybody has connected since."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/manifest.c2pa"

    @property
    def called(self) -> bool:
        try:
            self._listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield Server(listening)


def referring(url: str) -> bytes:
    """Returns an image whose XMP says that its manifest is on a server."""
    namespace = 'xmlns:dcterms="http://purl.org/dc/terms/"'
    return with_xmp("jpeg", xmp(attributes=f'{namespace} dcterms:provenance="{url}"'))


def test_a_server_that_keeps_the_manifest_is_not_asked(server):
    assert not said(referring(server.url)).c2pa_validity
    assert said(signed("jpeg", data=referring(server.url))).c2pa_validity == "valid"
    broken = signed("jpeg", data=referring(server.url)).replace(b"c2ma\0\x11", b"c2mx\0\x11")
    assert said(broken).c2pa_validity in {"invalid", "unreadable"}
    assert not server.called


def test_a_server_that_knows_about_revoked_certificates_is_not_asked(server):
    assert said(signed("jpeg", ocsp=server.url)).c2pa_validity == "valid"
    assert not server.called
