"""Servers on loopback that misbehave as servers on the web do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.records.records import Reason
from tests.expect import present

type Behaviour = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
NO_FILE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def raw_server(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Runs a server that answers every request with the same bytes, but has no files with wishes."""
    tasks: set[asyncio.Task[object]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = present(asyncio.current_task())
        tasks.add(task)
        writers.add(writer)
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            if any(
                name in head.partition(b"\r\n")[0] for name in (b"/robots.txt", b"/tdmrep.json", b"/ai.txt")
            ):
                writer.write(NO_FILE)
            elif isinstance(behaviour, bytes):
                writer.write(behaviour)
            else:
                await behaviour(writer)
            writer.close()
        tasks.discard(task)
        writers.discard(writer)

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def body_of(data: bytes, *headers: bytes, length: bytes | None = None) -> bytes:
    """Returns an answer with these bytes. `length` is the declared length."""
    told = str(len(data)).encode() if length is None else length
    lines = b"".join(header + b"\r\n" for header in headers)
    return OK + lines + b"Content-Length: " + told + b"\r\n\r\n" + data


async def _reset_at_once(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _reset_in_body(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100000\r\n\r\n" + b"\xff\xd8\xff" * 1000)
    await writer.drain()
    writer.transport.abort()


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def _stall(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100000\r\n\r\n\xff\xd8\xff")
    await writer.wait_closed()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X-Drop: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _endless_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def _endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X-Flood: " + b"y" * 900 + b"\r\n")
        await writer.drain()


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What a server does, and the expected reason."""

    behaviour: Behaviour
    reason: Reason


def misbehaviours(photo: bytes) -> dict[str, Misbehaviour]:
    """Returns misbehaviours below HTTP or against its rules. Each needs a server of its own."""
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    cases: dict[str, tuple[Behaviour, Reason]] = {
        "reset at once": (_reset_at_once, Reason.CONNECTION_FAILED),
        "closed without an answer": (b"", Reason.CONNECTION_FAILED),
        "reset in the body": (_reset_in_body, Reason.TRANSFER_BROKEN),
        "silence": (_silence, Reason.TIMED_OUT),
        "idle in the body": (_stall, Reason.TIMED_OUT),
        "dripping body": (_drip, Reason.TIMED_OUT),
        "dripping headers": (_drip_headers, Reason.TIMED_OUT),
        "endless body": (_endless, Reason.TOO_MANY_BYTES),
        "endless chunks": (_endless_chunks, Reason.TOO_MANY_BYTES),
        "endless headers": (_endless_headers, Reason.TOO_MANY_BYTES),
        "one endless header": (OK + b"X-Long: " + b"y" * 100_000, Reason.TOO_MANY_BYTES),
        "many headers": (OK + b"X-Many: 1\r\n" * 5000 + b"\r\n", Reason.TOO_MANY_BYTES),
        "length too long": (body_of(photo, length=b"900000"), Reason.TRANSFER_BROKEN),
        "length far too long": (body_of(photo, length=b"9" * 12), Reason.TOO_MANY_BYTES),
        "length too short": (body_of(photo, length=b"5000"), Reason.HTTP_ERROR),
        "length of nothing": (body_of(photo, length=b"0"), Reason.HTTP_ERROR),
        "negative length": (body_of(photo, length=b"-5"), Reason.HTTP_ERROR),
        "garbage for a length": (body_of(photo, length=b"many"), Reason.HTTP_ERROR),
        "two lengths": (body_of(photo, b"Content-Length: 7"), Reason.HTTP_ERROR),
        "HTTP/0.9": (photo, Reason.HTTP_ERROR),
        "text for HTTP": (b"220 smtp.example ESMTP\r\n\r\n", Reason.HTTP_ERROR),
        "garbage for a status": (b"HTTP/1.1 9z9 What\r\n\r\n", Reason.HTTP_ERROR),
        "garbage for a chunk size": (chunked + b"zz\r\nabc\r\n0\r\n\r\n", Reason.HTTP_ERROR),
        "chunks cut off": (chunked + b"1000\r\nabc", Reason.TRANSFER_BROKEN),
        "brotli": (body_of(photo, b"Content-Encoding: br"), Reason.UNSUPPORTED_FORMAT),
        "zstd": (body_of(photo, b"Content-Encoding: zstd"), Reason.UNSUPPORTED_FORMAT),
        "gzip that is none": (body_of(photo, b"Content-Encoding: gzip"), Reason.HTTP_ERROR),
        "redirect without an address": (
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            Reason.HTTP_ERROR,
        ),
    }
    return {name: Misbehaviour(*case) for name, case in cases.items()}


def server_tls(certificate: Path) -> ssl.SSLContext:
    """Returns a server's TLS context with the certificate and key of one PEM file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def write_certificate(folder: Path, name: str) -> Path:
    """Writes a PEM file with a key and a self-signed certificate for the name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
