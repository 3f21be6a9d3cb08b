"""HTTP functions that answer links to the files of a dataset, or redirect to one of them."""

from typing import TYPE_CHECKING

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Parameter, Reply, true_or_false
from functions.http.endpoint import Endpoints
from functions.http.inputs import wrong_value
from functions.http.models.downloads import DownloadAnswer
from shared.errors import Conflict, FieldError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from shared.datasets.downloads import Download, SavedFile

endpoints = Endpoints()

_MOST_FILES = 1_000_000
# a link is a secret, and a copy in a cache would outlive it
_NOT_STORED = {
    "Cache-Control": Parameter("No cache may store the links.", {"const": "no-store"}, required=True)
}
_TO_FILE = {
    "Location": Parameter("The link to the file.", {"type": "string", "format": "uri"}, required=True),
    **_NOT_STORED,
}


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/download",
        {
            200: Reply(DownloadAnswer, "The links.", _NOT_STORED),
            302: Reply(None, "With `redirect=true`: the link to one file is in `Location`.", _TO_FILE),
        },
        query={
            "redirect": true_or_false(
                "Whether to answer 302 with the link to a file, so that browsers and `curl -L` download it."
            ),
            "file": Parameter(
                "With `redirect`: which file, from 1 on, in the order of `files`. A dataset of several files needs it.",
                {"type": "integer", "minimum": 1, "maximum": _MOST_FILES},
            ),
        },
        errors=(NotFound, Conflict),
    )
)
async def download_dataset(call: Call) -> Answer:
    """Answers short-lived links to the dataset's files, or redirects to one of them."""
    redirects, file = call.query["redirect"] == "true", call.query.get("file")
    if file is not None and not redirects:
        raise wrong_value("file", file, "needs redirect=true")
    download = await call.app.downloads.download(call.caller.user_id, call.route("id"))
    headers = {"Cache-Control": "no-store"}
    if not redirects:
        await call.app.used(call.caller, "download_dataset")
        return Answer(DownloadAnswer.of(download), headers=headers)
    link = _chosen(download, file).link
    if link is None:
        from shared.datasets.downloads import in_archive_tier

        raise Conflict(in_archive_tier(download.dataset.id))
    await call.app.used(call.caller, "download_dataset")
    return Answer(None, status=302, headers={**headers, "Location": link.url})


def _chosen(download: "Download", file: str | None) -> "SavedFile":
    """Returns the file of a redirect.

    Raises:
        InvalidRequest: there is no such file, or none is chosen among several.
    """
    number = len(download.files)
    if file is None and number > 1:
        missing = FieldError("file", f"is missing: the dataset has {number:,} files, from 1 to {number:,}")
        raise InvalidRequest("The query is not valid.", (missing,))
    if int(file or 1) > number:
        raise wrong_value("file", str(file), f"must be a whole number from 1 to {number:,}")
    return download.files[int(file or 1) - 1]
