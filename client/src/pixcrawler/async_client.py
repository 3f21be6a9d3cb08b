"""The asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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
from pixcrawler.client import Client
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
    from pixcrawler.streaming.load import LoadOptions

T = TypeVar("T", bound=Answer)
R = TypeVar("R")


class AsyncClient:
    """Calls the API like `Client`, and raises the same errors. Close it, or use it in an `async with` block."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        allow_http: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.account = Account(url, api_key, allow_http)
        self._sleep = sleep
        self._http = httpx.AsyncClient(timeout=TIMEOUT, headers=self.account.headers, follow_redirects=False)

    @classmethod
    def from_login(cls, url: str | None = None) -> Self:
        """Returns a client with the URL and the key of the environment or of `pixcrawler login`.

        Raises:
            NotConfigured: the URL or the key is missing.
        """
        login = find_login(url)
        return cls(login.url, login.api_key, allow_http=allows_http())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Sends a call of `pixcrawler.calls` that has an answer, and returns it."""
        answer, _ = await self._answer(call)
        return answer

    async def do(self, call: Call[Answer]) -> None:
        """Sends a call of `pixcrawler.calls` whose answer is of no use."""
        response, content, lost = await self._exchange(call)
        read_answer(call, response, content, lost=lost)

    async def pages(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Yields the items of a list, page by page."""
        while True:
            page, retry_after = await self._answer(call)
            for item in page.items:
                yield item
            if page.next is None:
                return
            if retry_after is not None:
                # the app is still making the order of the list
                await self._sleep(read_again_seconds(retry_after))
            call = calls.following(call, page.next, later=retry_after is not None)

    async def submit(self, spec: Mapping[str, Any], *, idempotency_key: str = "") -> Job:
        """Submits a spec and returns its job. With an idempotency key, it may be called again safely."""
        return await self.send(calls.submit(spec, idempotency_key))

    async def validate(self, spec: Mapping[str, Any]) -> Outlook:
        """Returns what a spec would do."""
        return await self.send(calls.validate(spec))

    async def job(self, job_id: str) -> Job:
        """Returns a job."""
        return await self.send(calls.job(job_id))

    def jobs(self, **filters: Unpack[JobFilters]) -> AsyncIterator[JobSummary]:
        """Yields jobs, newest first. The filters are `state`, `name` and `since`."""
        return self.pages(calls.jobs(**filters))

    async def follow(self, job_id: str) -> AsyncIterator[Job]:
        """Yields a job as often as the app asks to read it, until it has ended. The last one is in a final state."""
        polls = JobPolls(job_id)
        while True:
            response, content, _ = await self._exchange(polls.call)
            job, wait_seconds = polls.read(response, content)
            yield job
            if job.has_ended:
                return
            await self._sleep(wait_seconds)

    async def records(self, job_id: str, **filters: Unpack[RecordFilters]) -> AsyncIterator[Record]:
        """Yields the records that a job has now. The filters are `outcome`, `reason` and `label`."""
        call = calls.records(job_id, **filters)
        while True:
            page, retry_after = await self._answer(call)
            for item in page.items:
                yield item
            if page.next is None or retry_after is not None:
                return
            call = calls.following(call, page.next)

    async def cancel(self, job_id: str) -> Job:
        """Stops a job."""
        return await self.send(calls.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        """Retries a job that has ended."""
        return await self.send(calls.retry(job_id))

    async def delete_job(self, job_id: str, *, with_dataset: bool = False) -> None:
        """Deletes a job that has ended."""
        await self.do(calls.delete_job(job_id, with_dataset=with_dataset))

    def datasets(self) -> AsyncIterator[Dataset]:
        """Yields datasets, newest first."""
        return self.pages(calls.datasets())

    async def dataset(self, dataset_id: str) -> Dataset:
        """Returns a dataset."""
        return await self.send(calls.dataset(dataset_id))

    def images(
        self, dataset_id: str, *, of_job: bool = False, **filters: Unpack[ImageFilters]
    ) -> AsyncIterator[Image]:
        """Yields the images of a dataset, or with `of_job` those that its job has kept so far, newest first.

        The filters are `label`, `license` and `source`; those of a dataset are also `split` and `sort`.
        """
        return self.pages(calls.images(dataset_id, of_job=of_job, **filters))

    async def image(
        self, dataset_id: str, n: str, *, of_job: bool = False, width: int | None = None
    ) -> bytes:
        """Returns the file of an image, or with a width a small JPEG of it."""
        call = calls.image(dataset_id, n, of_job=of_job, width=width)
        response, content, lost = await self._exchange(call)
        read_answer(call, response, content, lost=lost)
        return content

    async def delete_dataset(self, dataset_id: str) -> None:
        """Deletes a dataset. Its job stays."""
        await self.do(calls.delete_dataset(dataset_id))

    async def links(self, dataset_id: str) -> Links:
        """Returns new links to a dataset's files. Whoever has a link needs no key: treat it as a secret."""
        return await self.send(calls.links(dataset_id))

    async def rehydrate(
        self, dataset_id: str, *, tier: str = "hot", priority: str = "standard", days: int = 7
    ) -> Dataset:
        """Brings a dataset back from the Archive tier, or keeps it online for longer."""
        return await self.send(calls.rehydrate(dataset_id, tier=tier, priority=priority, days=days))

    async def refresh(
        self, dataset_id: str, *, check: bool = False, remove_gone: bool = False, idempotency_key: str = ""
    ) -> Job:
        """Has a dataset's job ask its sources again, and returns the job. See `Client.refresh`."""
        return await self.send(
            calls.refresh(dataset_id, check=check, remove_gone=remove_gone, key=idempotency_key)
        )

    async def download(
        self,
        dataset_id: str,
        folder: str | Path,
        *,
        connections: int = 4,
        progress: "Callable[[Progress], None] | None" = None,
    ) -> list[Path]:
        """Stores the files of a dataset in a folder like `Client.download`. `progress` is called in other threads."""
        from pixcrawler.downloads.dataset import DatasetDownload

        begun: list[DatasetDownload] = []

        def download(client: Client) -> list[Path]:
            begun.append(DatasetDownload(client, dataset_id, Path(folder), connections, progress))
            return begun[0].run()

        try:
            return await self._in_a_thread(download)
        except asyncio.CancelledError:
            for each in begun:
                each.stop()
            raise

    async def load_dataset(self, dataset_id: str, **options: "Unpack[LoadOptions]") -> "StreamedDataset":
        """Returns a dataset like `Client.load_dataset`, with the same options. It is read without `await`."""
        return await self._in_a_thread(lambda client: client.load_dataset(dataset_id, **options))

    async def upload_list(self, path: str | Path, *, name: str | None = None) -> StoredList:
        """Stores a list of URLs like `Client.upload_list`."""
        return await self._in_a_thread(lambda client: client.upload_list(path, name=name))

    async def _in_a_thread(self, work: Callable[[Client], R]) -> R:
        def run() -> R:
            account = self.account
            with Client(account.url, account.api_key, allow_http=account.allow_http) as client:
                return work(client)

        return await asyncio.to_thread(run)

    async def _answer(self, call: Call[T]) -> tuple[T, str | None]:
        """Returns the answer to a call, and its `Retry-After`."""
        response, content, lost = await self._exchange(call)
        answer = read_answer(call, response, content, lost=lost)
        if answer is None:
            raise BadAnswer(f"{call.path} has no answer.")
        return answer, response.headers.get("Retry-After")

    async def _exchange(self, call: Call[T]) -> tuple[httpx.Response, bytes, bool]:
        """Returns the response to a call and its content, and whether the answer to an earlier attempt was lost."""
        attempts, url = Attempts(), self.account.url_of(call)
        while True:
            request = self._http.build_request(
                call.method, url, params=call.query or None, content=call.body, headers=call.headers
            )
            try:
                response, content = await self._read(request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                await self._sleep(attempts.after_error(error, url))
                continue
            retry_after = response.headers.get("Retry-After")
            wait = None
            if response.status_code not in call.answers_with:
                wait = attempts.after_answer(response.status_code, retry_after, content)
            if wait is None:
                return response, content, attempts.answer_was_lost
            await self._sleep(wait)

    async def _read(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await self._http.send(request, stream=True)
        try:
            refuse_encoded(response)
            content = Content()
            async for piece in response.aiter_raw():
                content.add(piece)
        finally:
            await response.aclose()
        return response, bytes(content.received)
