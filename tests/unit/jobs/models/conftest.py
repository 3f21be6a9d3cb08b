"""A flow with the app's own worker, a server with pictures on loopback, and tiny models in storage."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.image_checks import ImageChecks
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.jobs.job.job import Job
from shared.scoring.model_files import ModelFiles
from shared.scoring.model_names import ModelNames
from shared.scoring.picture_model_loader import PictureModelLoader
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from tests.unit.in_memory import runtime_of
from tests.unit.jobs.simulation import Flow
from tests.unit.scoring.faces.yunet import yunet
from tests.unit.scoring.tiny_classifier import classifier_files

MODELS = ModelNames(faces="tiny-yunet", nsfw="tiny-classifier", nsfw_labels=("nsfw",))


@dataclass
class Jobs:
    """Runs whole jobs over `files`, which a server has by their names. `licenses` are those of some files."""

    flow: Flow
    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    licenses: dict[str, str] = field(default_factory=dict)

    def spec(self, **parts: Any) -> dict[str, Any]:
        items = [
            {"url": f"{self.address}/{name}", "label": "thing", "license": self.licenses.get(name, "by")}
            for name in self.files
        ]
        whole = {"sources": [{"type": "urls", "items": items}], "dedup": {"near_distance": None}}
        return whole | {"output": {"annotations": ["jsonl", "csv"]}} | parts

    async def run(self, **parts: Any) -> Job:
        """Sends a spec, runs everything, and returns the job as it is at the end."""
        sent = await self.flow.send(self.spec(**parts))
        await self.flow.run()
        job: Job = await self.flow.job(sent)
        return job

    async def archive(self, job: Job) -> zipfile.ZipFile:
        dataset = await self.flow.catalog.require("admin", job.id)
        return zipfile.ZipFile(io.BytesIO(await self.flow.blobs.get(dataset.blobs[0])))

    async def lines(self, job: Job) -> dict[str, Any]:
        """Returns the line of each file in the records of the dataset, by the file's name."""
        records = await self.flow.blobs.get((await self.flow.catalog.require("admin", job.id)).records_blob)
        lines = map(json.loads, gzip.decompress(records).splitlines())
        return {row["url"].rpartition("/")[2]: row for row in lines}

    async def outcomes(self, job: Job) -> dict[str, str]:
        """Returns "kept" or the reason of each file, by its name."""
        return {name: row.get("reason", "kept") for name, row in (await self.lines(job)).items()}


def annotations(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the rows of the JSONL and of the CSV file, by the names of the sources' files."""
    [jsonl] = [name for name in archive.namelist() if name.endswith("annotations.jsonl")]
    [table] = [name for name in archive.namelist() if name.endswith(".csv")]
    rows = [json.loads(line) for line in archive.read(jsonl).splitlines()]
    cells = csv.DictReader(io.StringIO(archive.read(table).decode()))
    return _by_name(rows), _by_name(cells)


def _by_name(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {row["url"].rpartition("/")[2]: row for row in rows}


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    files: dict[str, bytes] = {}

    async def serve(request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        return web.Response(body=files[name]) if name in files else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    flow = Flow()
    sessions = Sessions(SessionConfig("test", allow_private_networks=True, idle_seconds=1))
    budget = ByteBudget(8_000_000)
    fetcher = Fetcher(sessions, HostWishes.over(AiohttpWebClient(sessions)), budget, FetchConfig())
    checks = ImageChecks(models=PictureModelLoader(ModelFiles(flow.blobs), MODELS))
    worker = ChunkWorker(fetcher, budget, flow.blobs, runtime_of(), WorkerConfig(8, 3), checks)
    flow.crawl._worker = worker
    configure(flow, MODELS)
    await flow.blobs.put("models/tiny-yunet/model.onnx", yunet())
    for name, data in classifier_files().items():
        await flow.blobs.put(f"models/tiny-classifier/{name}", data)
    yield Jobs(flow, f"http://127.0.0.1:{runner.addresses[0][1]}", files)
    await worker.close()
    await sessions.close()
    await runner.cleanup()


def configure(flow: Flow, names: ModelNames) -> None:
    """Gives the checks of specs the names of models, as the settings do."""
    flow.submit._checks = flow.refresh._checks = replace(flow.submit._checks, models=names)
