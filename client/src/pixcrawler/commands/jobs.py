"""`jobs`, `show`, `records`, `cancel`, `retry` and `delete`."""

from itertools import islice
from typing import Annotated

import typer

from pixcrawler.errors import WrongUse
from pixcrawler.plain_text import plain
from pixcrawler.terminal.options import Json, Limit, Url, Yes, confirm, connect
from pixcrawler.terminal.output import print_fields, print_json, print_json_line, print_table, say

JobId = Annotated[str, typer.Argument(metavar="ID", help="The id of the job.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (jobs, show, records, cancel, retry, delete):
        app.command()(command)


def jobs(
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only jobs in this state.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Only jobs with this in their name.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only jobs since this time, such as 2026-01-01T12:00:00Z."
        ),
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List your jobs, newest first."""
    with connect(url) as client:
        found = list(islice(client.jobs(state=state, name=name, since=since), limit))
    if as_json:
        print_json([job.as_json() for job in found])
    else:
        rows = [(job.id, job.state, job.created_at, job.name) for job in found]
        print_table(("id", "state", "created", "name"), rows)


def show(job_id: JobId, as_json: Json = False, url: Url = None) -> None:
    """Show one job: its state, its counts, and its problems."""
    with connect(url) as client:
        job = client.job(job_id)
    if as_json:
        print_json(job.as_json())
        return
    at = job.progress
    print_fields(
        {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "revision": job.revision,
            "error": f"{job.error.code}: {job.error.detail}" if job.error else None,
            "notice": job.notice,
            "created": job.created_at,
            "chunks": f"{at.chunks.done} of {at.chunks.total}",
            "images": f"{at.found} found, {at.kept} kept, {at.rejected} rejected",
        }
    )
    rows = [
        (label, counts.kept, sum(counts.rejected.values()), counts.found)
        for label, counts in job.labels.items()
    ]
    print_table(("label", "kept", "rejected", "found"), rows)
    print_table(("reason", "rejected"), list(job.rejections.items()))
    for problem in job.problems:
        say(f"! {plain(problem)}")


def records(
    job_id: JobId,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="OUTCOME", help="kept or rejected.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="REASON", help="Only this reason.")
    ] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="LABEL", help="Only this label.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what became of each candidate. With --json, one line of JSON for each."""
    with connect(url) as client:
        found = islice(client.records(job_id, outcome=outcome, reason=reason, label=label), limit)
        if as_json:
            for record in found:
                print_json_line(record.as_json())
            return
        rows = [(each.index, each.outcome, each.reason, each.detail, each.label, each.url) for each in found]
    print_table(("index", "outcome", "reason", "detail", "label", "url"), rows)


def cancel(job_id: JobId, as_json: Json = False, url: Url = None) -> None:
    """Stop a job. What it has stored is kept for a retry."""
    with connect(url) as client:
        job = client.cancel(job_id)
    print_json(job.as_json()) if as_json else say(f"{job.id} is {job.state}.")


def retry(job_id: JobId, as_json: Json = False, url: Url = None) -> None:
    """Retry a job that has ended.

    A completed job fetches again what failed for a transient reason. Any other job goes on where it ended.
    """
    with connect(url) as client:
        job = client.retry(job_id)
    print_json(job.as_json()) if as_json else say(f"{job.id} is {job.state}.")


def delete(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the job and of its dataset.")],
    with_dataset: Annotated[bool, typer.Option("--with-dataset", help="Delete its dataset, too.")] = False,
    dataset_only: Annotated[
        bool, typer.Option("--dataset-only", help="Delete the dataset, and keep the job.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Delete a job that has ended. This cannot be undone."""
    if with_dataset and dataset_only:
        raise WrongUse("Use --with-dataset or --dataset-only, not both.")
    what = "the dataset" if dataset_only else "the job and its dataset" if with_dataset else "the job"
    confirm(f"Delete {what} {job_id}?", yes=yes)
    with connect(url) as client:
        if dataset_only:
            client.delete_dataset(job_id)
        else:
            client.delete_job(job_id, with_dataset=with_dataset)
    print_json({"id": job_id, "deleted": True}) if as_json else say(f"Deleted {what} {job_id}.")
