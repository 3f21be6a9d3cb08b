"""`make demo KEEP=1` ends with the dashboard's address of the dataset, which works until Ctrl-C."""

import asyncio
import contextlib
import io
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from playground.azurite import ROOT

_READY_SECONDS = 120
_STOP_SECONDS = 30


@contextlib.asynccontextmanager
async def demo(*flags: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        "-m",
        "playground.demo",
        *flags,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def lines_until_the_key(process: asyncio.subprocess.Process) -> list[str]:
    """Returns what the demo prints, up to the line with the key."""
    assert process.stdout is not None
    lines = list[str]()
    while not (lines and lines[-1].startswith("API key: ")):
        line = await process.stdout.readline()
        assert line, "\n".join(lines)
        lines.append(line.decode().rstrip("\n"))
    return lines


async def test_the_demo_keeps_the_dashboard_of_its_dataset_until_ctrl_c(session):
    async with demo("--keep", "--keywords", "cat") as process:
        lines = await asyncio.wait_for(lines_until_the_key(process), _READY_SECONDS)
        address, key = lines[-2], lines[-1].removeprefix("API key: ")
        found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/#/datasets/(\w+)", address)
        assert found, lines
        assert key not in address
        async with session.get(address) as page:
            assert (page.status, page.content_type) == (200, "text/html")
        headers = {"X-API-Key": key}
        async with session.get(f"{found[1]}/api/v1/datasets/{found[2]}/preview", headers=headers) as answer:
            preview = await answer.read()
        [sheet] = [ROOT / line.partition(":")[0] for line in lines if "preview.jpg" in line]
        await asyncio.to_thread(check_sheet, sheet, preview)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), _STOP_SECONDS) == 0
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(found[1])
    await asyncio.to_thread(shutil.rmtree, sheet.parent)


def check_sheet(sheet: Path, preview: bytes) -> None:
    assert sheet.read_bytes() == preview
    with Image.open(io.BytesIO(preview), formats=["JPEG"]) as opened:
        opened.load()
        # four rows of one label
        assert opened.size == (824, 8 + 28 + 4 * 136)
    assert len([*sheet.parent.glob("*.zip")]) == 1
