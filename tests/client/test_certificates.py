"""A server whose certificate nobody trusts."""

import contextlib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixcrawler import Client, Unreachable
from tests.certificate import write_certificate
from tests.client.conftest import KEY


def test_a_certificate_that_is_not_trusted_is_reported_at_once_with_the_way_to_trust_it(waits, tmp_path):
    write_certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        pool.submit(_refused_handshake, listening, context)
        with (
            Client(f"https://127.0.0.1:{listening.getsockname()[1]}", KEY, sleep=waits.append) as client,
            pytest.raises(Unreachable, match="SSL_CERT_FILE"),
        ):
            client.job("a1")
    assert waits == []


def _refused_handshake(listening, context):
    connection, _ = listening.accept()
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
        pass
