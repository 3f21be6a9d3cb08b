"""`watch`: a job as it goes on."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pixcrawler.plain_text import plain
from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json, Url, connect
from pixcrawler.terminal.output import complain, console, print_json_line, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pixcrawler.answers import Job
    from pixcrawler.client import Client

_BAR_WIDTH = 30
_OTHER_LINES = 8


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(watch)


def watch(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the job.")],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Watch a job until it has ended. The exit code is 1 if it failed or was cancelled."""
    with connect(url) as client:
        watch_until_the_end(client, job_id, as_json=as_json)


def watch_until_the_end(client: "Client", job_id: str, *, as_json: bool) -> None:
    """Shows a job until it has ended: bars in a terminal, else a line for each change.

    Raises:
        typer.Exit: the job has failed or was cancelled.
    """
    try:
        job = _show(client.follow(job_id), as_json=as_json)
    except KeyboardInterrupt:
        complain(f"The job goes on. Watch it with: pixcrawler watch {plain(job_id)}")
        raise
    if job.state != "completed":
        if job.error is not None and not as_json:
            say(f"{plain(job.error.code)}: {plain(job.error.detail)}")
        raise typer.Exit(ExitCode.FAILED)
    if not as_json:
        say(f"The dataset is ready: pixcrawler download {plain(job.id)} --unpack")
        say(f"See its pictures: {plain(client.account.url.rstrip('/'))}/#/datasets/{plain(job.id)}")


def _show(seen: "Iterator[Job]", *, as_json: bool) -> "Job":
    if as_json:
        return _print(seen, lambda each: print_json_line(each.as_json()))
    if sys.stdout.isatty():
        return _show_bars(seen)
    return _print(seen, lambda each: say(_line(each)))


def _print(seen: "Iterator[Job]", show: Callable[["Job"], None]) -> "Job":
    before = None
    for job in seen:
        now = (job.state, job.progress, job.notice)
        if now != before:
            show(job)
        before = now
    return job


def _line(job: "Job") -> str:
    at = job.progress
    return f"{plain(job.state)}  found {at.found}  kept {at.kept}  rejected {at.rejected}"


def _show_bars(seen: "Iterator[Job]") -> "Job":
    from rich.live import Live

    with Live(console=console(), transient=False, refresh_per_second=4) as live:
        for job in seen:
            live.update(_bars(job, live.console.height))
    return job


def _bars(job: "Job", height: int) -> "RenderableType":
    """Returns a bar for each label: the share of its candidates that are processed."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table("label", "", "kept", "rejected", "found", box=None, pad_edge=False, header_style="bold")
    room = max(1, height - _OTHER_LINES)
    for label, counts in list(job.labels.items())[:room]:
        rejected = sum(counts.rejected.values())
        bar = ProgressBar(total=max(1, counts.found), completed=counts.kept + rejected, width=_BAR_WIDTH)
        table.add_row(Text(plain(label)), bar, str(counts.kept), str(rejected), str(counts.found))
    lines: list[RenderableType] = [Text(f"{plain(job.name)}  {_line(job)}", style="bold")]
    if job.labels:
        lines.append(table)
    if len(job.labels) > room:
        lines.append(Text(f"and {len(job.labels) - room} more labels"))
    if job.notice:
        lines.append(Text(plain(job.notice), style="yellow"))
    return Group(*lines)
