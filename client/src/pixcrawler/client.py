"""The synchronous client."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from typing_extensions import Self, Unpack

from pixcrawler import calls
from pixcrawler.answers import (
    Answer,
    Dataset,
    Image,
    Job,
    JobSummary,
    Links,
    Outlook,
    Page,
    Record,
    StoredList,
)
from pixcrawler.calls import Call
from pixcrawler.config import allows_http, find_login
from pixcrawler.errors import BadAnswer
from pixcrawler.exchange import (
    TIMEOUT,
    Account,
    Attempts,
    Content,
    JobPolls,
    read_again_seconds,
    read_answer,
    refuse_encoded,
)
from pixcrawler.filters import ImageFilters, JobFilters, RecordFilters

if TYPE_CHECKING:
    from pixcrawler.downloads.dataset import Progress
    from pixcrawler.streaming.dataset import StreamedDataset

T = TypeVar("T", bound=Answer)


class Client:
    """Calls the API of a PixCrawler app. Close it, or use it in a `with` block.

    Each method raises a `PixCrawlerError`: `Refused` if the API refuses the call, `Unreachable` without an answer,
    `BadAnswer` if the answer is not one of the API. A call without an answer is sent again, up to five times, and so
    is one that is answered 408, 429, 502, 503 or 504, after the time in `Retry-After`. Nothing is made twice by that.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        allow_http: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.account = Account(url, api_key, allow_http)
        self._sleep = sleep
        self._http = httpx.Client(timeout=TIMEOUT, headers=self.account.headers, follow_redirects=False)

    @classmethod
    def from_login(cls, url: str | None = None) -> Self:
        """Returns a client with the URL and the key of the environment or of `pixcrawler login`.

        Raises:
            NotConfigured: the URL or the key is missing.
        """
        login = find_login(url)
        return cls(login.url, login.api_key, allow_http=allows_http())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Sends a call of `pixcrawler.calls` that has an answer, and returns it."""
        answer, _ = self._answer(call)
        return answer

    def do(self, call: Call[Answer]) -> None:
        """Sends a call of `pixcrawler.calls` whose answer is of no use."""
        response, content, lost = self._exchange(call)
        read_answer(call, response, content, lost=lost)

    def pages(self, call: Call[Page[T]]) -> Iterator[T]:
        """Yields the items of a list, page by page."""
        while True:
            page, retry_after = self._answer(call)
            yield from page.items
            if page.next is None:
                return
            if retry_after is not None:
                # the app is still making the order of the list
                self._sleep(read_again_seconds(retry_after))
            call = calls.following(call, page.next, later=retry_after is not None)

    def submit(self, spec: Mapping[str, Any], *, idempotency_key: str = "") -> Job:
        """Submits a spec and returns its job. With an idempotency key, it may be called again safely."""
        return self.send(calls.submit(spec, idempotency_key))

    def validate(self, spec: Mapping[str, Any]) -> Outlook:
        """Returns what a spec would do."""
        return self.send(calls.validate(spec))

    def job(self, job_id: str) -> Job:
        """Returns a job."""
        return self.send(calls.job(job_id))

    def jobs(self, **filters: Unpack[JobFilters]) -> Iterator[JobSummary]:
        """Yields jobs, newest first. The filters are `state`, `name` and `since`."""
        return self.pages(calls.jobs(**filters))

    def follow(self, job_id: str) -> Iterator[Job]:
        """Yields a job as often as the app asks to read it, until it has ended. The last one is in a final state."""
        polls = JobPolls(job_id)
        while True:
            response, content, _ = self._exchange(polls.call)
            job, wait_seconds = polls.read(response, content)
            yield job
            if job.has_ended:
                return
            self._sleep(wait_seconds)

    def records(self, job_id: str, **filters: Unpack[RecordFilters]) -> Iterator[Record]:
        """Yields the records that a job has now. The filters are `outcome`, `reason` and `label`.

        A job that runs has records of the chunks that are done.
        """
        call = calls.records(job_id, **filters)
        while True:
            page, retry_after = self._answer(call)
            yield from page.items
            # with Retry-After, the following page has no entries yet
            if page.next is None or retry_after is not None:
                return
            call = calls.following(call, page.next)

    def cancel(self, job_id: str) -> Job:
        """Stops a job."""
        return self.send(calls.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Retries a job that has ended."""
        return self.send(calls.retry(job_id))

    def delete_job(self, job_id: str, *, with_dataset: bool = False) -> None:
        """Deletes a job that has ended."""
        self.do(calls.delete_job(job_id, with_dataset=with_dataset))

    def datasets(self) -> Iterator[Dataset]:
        """Yields datasets, newest first."""
        return self.pages(calls.datasets())

    def dataset(self, dataset_id: str) -> Dataset:
        """Returns a dataset."""
        return self.send(calls.dataset(dataset_id))

    def images(
        self, dataset_id: str, *, of_job: bool = False, **filters: Unpack[ImageFilters]
    ) -> Iterator[Image]:
        """Yields the images of a dataset, or with `of_job` those that its job has kept so far, newest first.

        The filters are `label`, `license` and `source`; those of a dataset are also `split` and `sort`.
        """
        return self.pages(calls.images(dataset_id, of_job=of_job, **filters))

    def image(self, dataset_id: str, n: str, *, of_job: bool = False, width: int | None = None) -> bytes:
        """Returns the file of an image, or with a width a small JPEG of it."""
        call = calls.image(dataset_id, n, of_job=of_job, width=width)
        response, content, lost = self._exchange(call)
        read_answer(call, response, content, lost=lost)
        return content

    def delete_dataset(self, dataset_id: str) -> None:
        """Deletes a dataset. Its job stays."""
        self.do(calls.delete_dataset(dataset_id))

    def links(self, dataset_id: str) -> Links:
        """Returns new links to a dataset's files. Whoever has a link needs no key: treat it as a secret."""
        return self.send(calls.links(dataset_id))

    def rehydrate(
        self, dataset_id: str, *, tier: str = "hot", priority: str = "standard", days: int = 7
    ) -> Dataset:
        """Brings a dataset back from the Archive tier, or keeps it online for longer."""
        return self.send(calls.rehydrate(dataset_id, tier=tier, priority=priority, days=days))

    def refresh(
        self, dataset_id: str, *, check: bool = False, remove_gone: bool = False, idempotency_key: str = ""
    ) -> Job:
        """Has a dataset's job ask its sources again, and returns the job. Known images are not fetched again.

        With `check`, hosts are asked whether known images have changed. With `remove_gone`, images leave the dataset
        that sources no longer list or hosts no longer have.
        """
        return self.send(calls.refresh(dataset_id, check=check, remove_gone=remove_gone, key=idempotency_key))

    def download(
        self,
        dataset_id: str,
        folder: str | Path,
        *,
        connections: int = 4,
        progress: "Callable[[Progress], None] | None" = None,
    ) -> list[Path]:
        """Stores the files of a dataset in a folder, and returns their paths.

        A download that was broken off goes on where it was. Each file is checked, and has its name only when it is
        whole.

        Raises:
            BrokenDownload: a file is not what the API says, is in the Archive tier, or does not fit on the disk.
        """
        from pixcrawler.downloads.dataset import DatasetDownload

        return DatasetDownload(self, dataset_id, Path(folder), connections, progress).run()

    def load_dataset(
        self,
        dataset_id: str,
        *,
        split: str | None = None,
        label: str | None = None,
        shuffle_seed: int | None = None,
        buffer_blocks: int = 8,
    ) -> "StreamedDataset":
        """Returns a dataset whose images are read while they are used, without storing it."""
        from pixcrawler.streaming.load import load_dataset

        return load_dataset(
            dataset_id,
            client=self,
            split=split,
            label=label,
            shuffle_seed=shuffle_seed,
            buffer_blocks=buffer_blocks,
        )

    def upload_list(self, path: str | Path, *, name: str | None = None) -> StoredList:
        """Stores a list of URLs, of up to 2 GB. The ending of its name says its format."""
        from pixcrawler.uploads.lists import upload_list

        return upload_list(self, Path(path), name)

    def _answer(self, call: Call[T]) -> tuple[T, str | None]:
        """Returns the answer to a call, and its `Retry-After`."""
        response, content, lost = self._exchange(call)
        answer = read_answer(call, response, content, lost=lost)
        if answer is None:
            raise BadAnswer(f"{call.path} has no answer.")
        return answer, response.headers.get("Retry-After")

    def _exchange(self, call: Call[T]) -> tuple[httpx.Response, bytes, bool]:
        """Returns the response to a call and its content, and whether the answer to an earlier attempt was lost."""
        attempts, url = Attempts(), self.account.url_of(call)
        while True:
            request = self._http.build_request(
                call.method, url, params=call.query or None, content=call.body, headers=call.headers
            )
            try:
                response, content = self._read(request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                self._sleep(attempts.after_error(error, url))
                continue
            retry_after = response.headers.get("Retry-After")
            wait = None
            if response.status_code not in call.answers_with:
                wait = attempts.after_answer(response.status_code, retry_after, content)
            if wait is None:
                return response, content, attempts.answer_was_lost
            self._sleep(wait)

    def _read(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = self._http.send(request, stream=True)
        try:
            refuse_encoded(response)
            content = Content()
            for piece in response.iter_raw():
                content.add(piece)
        finally:
            response.close()
        return response, bytes(content.received)
