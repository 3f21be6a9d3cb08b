"""Reads C2PA manifests in a process of its own. Nobody imports this module; `C2paReader` starts it.

The library is native code that gets hostile bytes. In this process, a crash harms nothing, memory is limited, and no
socket, file or process can be opened, because no file descriptor is left. So the library cannot fetch anything,
whatever a manifest asks for.

A request on the standard input is a MIME type and a file, each after its length in four bytes. The answer on the
standard output is the reader's JSON, or an empty text if the file cannot be read, after its length in four bytes.
"""

import io
import resource
import sys
from typing import BinaryIO

_MAX_MEMORY_BYTES = 512 << 20
_MAX_ANSWER_BYTES = 8 << 20
_SETTINGS = {
    "verify": {
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
        "verify_trust": False,
        "verify_timestamp_trust": False,
    },
    "core": {"allow_redirects": False, "max_decompressed_manifest_size_in_mb": 8},
}


def main() -> None:
    """Answers requests until the standard input ends."""
    from c2pa import Context, Reader

    context = Context.from_dict(_SETTINGS)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _limit()
    while (mime_type := _read(requests)) is not None and (data := _read(requests)) is not None:
        try:
            with Reader(mime_type.decode(), io.BytesIO(data), context=context) as reader:
                answer = reader.json().encode()
        except Exception:  # noqa: BLE001 - the library raises any error on hostile bytes
            answer = b""
        if len(answer) > _MAX_ANSWER_BYTES:
            answer = b""
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


def _limit() -> None:
    """Limits memory, and forbids to open, write or start anything else."""
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # 0, 1 and 2 are the standard streams
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    content = stream.read(int.from_bytes(head))
    return content if len(content) == int.from_bytes(head) else None


if __name__ == "__main__":
    main()
