"""Reads ai.txt: which files of a host its owner does not allow in datasets.

Format: Spawning's ai.txt of 30 May 2023 (site.spawning.ai/spawning-ai-txt), at /ai.txt. It has the syntax of
robots.txt, and its rules name kinds of files, such as `Disallow: *.jpg`. It is no standard.
"""

from yarl import URL

from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.host_file import FileKind, HostFiles
from shared.web.wishes.robots import parse
from shared.web.wishes.texts.path_patterns import OutOfTimeError, comparable_path, lower_path
from shared.web.wishes.texts.robots_text import RobotsText

_FILE_BYTES = 512_000
_CHECK_SECONDS = 0.05
_ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/bmp": (".bmp",),
    "image/tiff": (".tif", ".tiff"),
    "image/avif": (".avif",),
}


class AiTxt:
    """Fetches the hosts' ai.txt files, keeps each for a while, and answers from them.

    A URL that cannot be compared with the rules within `check_seconds` of processor time counts as refused.
    """

    def __init__(self, web: WebClient, check_seconds: float = _CHECK_SECONDS) -> None:
        self._check_seconds = check_seconds
        kind = FileKind("ai.txt", _FILE_BYTES, _read, lambda said: sum(each.size_bytes for each in said))
        self._files = HostFiles(web, kind, "/ai.txt")

    def begin(self, url: URL) -> None:
        """Starts to fetch the host's file, and does not wait for it."""
        self._files.begin(url)

    async def refusal(self, url: URL, answers: Answers) -> Rejected | None:
        """Returns why the URL may not be used: its host's file forbids it, or the host did not answer.

        Rules name kinds of files, so path and rules are compared in lower case, too.
        """
        file = await self._files.get(url)
        if file.content is None:
            return file.note_absence(Signal.AI_TXT, answers)
        return await self._compare(file.content, comparable_path(url), answers)

    async def refusal_of_kind(self, url: URL, media_type: str, answers: Answers) -> Rejected | None:
        """Returns why an image of this media type may not be used, if its address does not end as such files do.

        A rule such as `*.jpg` means JPEGs, whatever their addresses are. The file of the host was asked for before.
        """
        endings = _ENDINGS.get(media_type, ())
        # decoding the path takes longer, and cannot remove an ending that the raw path has
        if not endings or url.raw_path.lower().endswith(endings):
            return None
        found = (await self._files.get(url)).content
        if found is None or url.path.lower().endswith(endings):
            return None
        path = comparable_path(url)
        refusals = [await self._compare(found, f"{path}{ending}", answers) for ending in endings]
        return next((refusal for refusal in refusals if refusal is not None), None)

    async def _compare(
        self, found: tuple[RobotsText, RobotsText], path: str, answers: Answers
    ) -> Rejected | None:
        try:
            for said, spelling in zip(found, (path, lower_path(path)), strict=True):
                if not await said.rules.find(spelling, self._check_seconds):
                    answers.note(Signal.AI_TXT, Answer.REFUSED)
                    return opted_out(Signal.AI_TXT, "ai.txt forbids it")
        except OutOfTimeError:
            answers.note(Signal.AI_TXT, Answer.REFUSED)
            return opted_out(Signal.AI_TXT, "ai.txt has too many rules to compare")
        answers.note(Signal.AI_TXT, Answer.ALLOWED)
        return None


def _read(body: bytes) -> tuple[RobotsText, RobotsText] | None:
    """Reads a file as it is and in lower case.

    A page that is served in its place, as many sites do for any address, states nothing.
    """
    found = parse(body) if body.lstrip()[:1] != b"<" else None
    return (found, parse(body.lower())) if found is not None and found.rules else None
