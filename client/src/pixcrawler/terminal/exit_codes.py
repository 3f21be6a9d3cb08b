"""The exit codes of the command line, for scripts."""

from enum import IntEnum

from pixcrawler.errors import (
    BadAnswer,
    BrokenDownload,
    HubRefused,
    PixCrawlerError,
    Refused,
    Unreachable,
    WrongUse,
)


class ExitCode(IntEnum):
    """The exit codes of commands. docs/reference/client.md lists them."""

    OK = 0
    # the job has failed or was cancelled, or the app is not healthy
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    BROKEN_DOWNLOAD = 5
    BAD_ANSWER = 6
    INTERRUPTED = 130
    # the exit code of a program that SIGPIPE has ended
    OUTPUT_CLOSED = 141


_OF_ERRORS: tuple[tuple[type[PixCrawlerError], ExitCode], ...] = (
    (WrongUse, ExitCode.USAGE),
    (Refused, ExitCode.REFUSED),
    (HubRefused, ExitCode.REFUSED),
    (Unreachable, ExitCode.UNREACHABLE),
    (BrokenDownload, ExitCode.BROKEN_DOWNLOAD),
    (BadAnswer, ExitCode.BAD_ANSWER),
)


def exit_code_of(error: PixCrawlerError) -> ExitCode:
    """Returns the exit code of an error."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), ExitCode.FAILED)
