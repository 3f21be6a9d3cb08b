"""A process in place of the one that reads C2PA manifests. The file that it gets says what it does."""

import json
import os
import signal
import socket
import sys

from shared.crawling.judging.embedded.c2pa import child


def tried(what) -> str:
    try:
        what()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"


def main() -> None:
    child._limit()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while (child._read(requests)) is not None:
        match child._read(requests):
            case b"crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case b"hang":
                signal.pause()
            case b"cut":
                answers.write(b"\0\0\1\0{")
                answers.flush()
                return
            case b"garbage":
                answer = b"[" * 100_000
            case b"list":
                answer = b"[]"
            case _:
                found = {
                    "environment": sorted(os.environ),  # noqa: TID251 - the test is about it
                    "socket": tried(socket.socket),
                    "file": tried(lambda: os.open("/etc/hostname", os.O_RDONLY)),
                    "process": tried(os.pipe),
                    "memory": tried(lambda: bytearray(4 << 30)),
                }
                answer = json.dumps(found).encode()
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
