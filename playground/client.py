"""A small client of the HTTP API, such as a user's program may have."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

_FINAL = frozenset({"completed", "failed", "cancelled"})


class ApiError(Exception):
    """The API refused a call, or there is nothing to download. The text is the API's."""


class ApiClient:
    """Calls the API with an API key. Every method raises `ApiError` if the API refuses the call."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        api_key: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = url
        self._sleep = sleep
        self._headers = {"X-API-Key": api_key}

    async def submit(self, spec: Mapping[str, Any], **headers: str) -> Mapping[str, Any]:
        """Submits a job and returns it. Underscores in the names of further headers become hyphens."""
        return await self._call("POST", "/api/v1/jobs", spec, headers)

    async def run_function(self, name: str) -> None:
        """Makes devhost run a timer function now."""
        await self._call("POST", f"/admin/functions/{name}", {"input": ""})

    async def get(self, path: str) -> Mapping[str, Any]:
        """Returns the resource at a path."""
        return await self._call("GET", path)

    async def follow(
        self, job_id: str, every_seconds: float | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yields the job again and again until it has ended. The last one is in a final state.

        Each answer says in `Retry-After` when to read the job again, which `every_seconds` overrides.
        """
        while True:
            job, headers = await self._ask("GET", f"/api/v1/jobs/{job_id}")
            yield job
            if job["state"] in _FINAL:
                return
            seconds = float(headers["Retry-After"]) if every_seconds is None else every_seconds
            await self._sleep(seconds)

    async def download(self, dataset_id: str, folder: Path) -> tuple[Path, str]:
        """Downloads a dataset's ZIP into a folder by its link, and returns the path and the SHA-256."""
        links = await self.get(f"/api/v1/datasets/{dataset_id}/download")
        if links["url"] is None:
            raise ApiError(str(links["notice"]))
        path = folder / str(links["filename"])
        digest = hashlib.sha256()
        async with self._session.get(str(links["url"])) as response:
            response.raise_for_status()
            with path.open("wb") as out:
                async for piece in response.content.iter_chunked(1 << 20):
                    digest.update(piece)
                    out.write(piece)
        return path, digest.hexdigest()

    async def image(self, path: str) -> bytes:
        """Returns the bytes of the image at a path."""
        async with self._session.get(self._url + path, headers=self._headers) as response:
            if not response.ok:
                raise ApiError(f"{response.status} {await response.text()}")
            return await response.read()

    async def records(self, dataset_id: str) -> list[Mapping[str, Any]]:
        """Returns the records of a dataset: one for each candidate, with its outcome."""
        links = await self.get(f"/api/v1/datasets/{dataset_id}/download")
        async with self._session.get(str(links["records"]["url"])) as response:
            response.raise_for_status()
            lines = gzip.decompress(await response.read()).splitlines()
        return [json.loads(line) for line in lines]

    async def _call(
        self, method: str, path: str, body: Any = None, further: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        answer, _ = await self._ask(method, path, body, further)
        return answer

    async def _ask(
        self, method: str, path: str, body: Any = None, further: Mapping[str, str] | None = None
    ) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Returns the content and the headers of the answer."""
        url = self._url + path
        headers = self._headers | {name.replace("_", "-"): value for name, value in (further or {}).items()}
        async with self._session.request(method, url, json=body, headers=headers) as response:
            answer: Mapping[str, Any] = await response.json(content_type=None) or {}
            if response.status >= 400:
                fields = "; ".join(
                    f"{item['field']}: {item['message']}" for item in answer.get("errors") or ()
                )
                raise ApiError(f"{response.status} {answer.get('detail')} {fields}".strip())
            return answer, response.headers
