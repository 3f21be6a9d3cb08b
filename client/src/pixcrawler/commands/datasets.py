"""`datasets`, `download`, `push-to-hub`, `refresh` and `rehydrate`."""

import sys
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixcrawler.errors import Refused
from pixcrawler.plain_text import plain
from pixcrawler.terminal.options import Json, Limit, Url, connect
from pixcrawler.terminal.output import (
    complain,
    console,
    print_fields,
    print_json,
    print_table,
    say,
    size_text,
)

if TYPE_CHECKING:
    from pixcrawler.answers import Dataset
    from pixcrawler.client import Client

DatasetId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the dataset, which is that of its job.")
]

ToFolder = Annotated[
    Path,
    typer.Option(
        "--to", metavar="FOLDER", help="The folder for the files, which is made if it does not exist."
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (datasets, download, push_to_hub, refresh, rehydrate):
        app.command()(command)


def datasets(
    dataset_id: Annotated[str | None, typer.Argument(metavar="ID", help="Show this dataset alone.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List your datasets, newest first, or show one."""
    with connect(url) as client:
        if dataset_id is not None:
            _show(client.dataset(dataset_id), as_json=as_json)
            return
        found = list(islice(client.datasets(), limit))
    if as_json:
        print_json([dataset.as_json() for dataset in found])
    else:
        rows = [
            (each.id, each.image_count, size_text(each.size_bytes), each.tier, each.name) for each in found
        ]
        print_table(("id", "images", "size", "tier", "name"), rows)


def download(
    dataset_id: DatasetId,
    to: ToFolder = Path(),
    unpack: Annotated[
        bool,
        typer.Option("--unpack", help="Unpack a ZIP into a folder beside it. Shards stay as they are."),
    ] = False,
    connections: Annotated[
        int,
        typer.Option(
            "--connections", metavar="NUMBER", min=1, max=32, help="How many ranges to read at a time."
        ),
    ] = 4,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Download a dataset. Run it again after a break: it goes on where it was, and checks the files."""
    from pixcrawler.downloads.unpack import unpack as unpack_zip

    with connect(url) as client:
        paths = _download(client, dataset_id, to, connections, quiet=as_json)
    archives = [path for path in paths if path.suffix.lower() == ".zip"] if unpack else []
    folders = [unpack_zip(path) for path in archives]
    if as_json:
        print_json({"files": [str(path) for path in paths], "folders": [str(path) for path in folders]})
    else:
        for path in folders or paths:
            say(str(path))


def push_to_hub(
    dataset_id: DatasetId,
    repo: Annotated[str, typer.Argument(metavar="REPO", help="The repository, such as `me/pets`.")],
    to: ToFolder = Path(),
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see a repository that this call makes.")
    ] = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Download a dataset, and upload it to the Hugging Face Hub. Run it again after a break.

    The Hub's token is that of `hf auth login` or `HF_TOKEN`.
    """
    from pixcrawler.downloads.unpack import names_in
    from pixcrawler.downloads.unpack import unpack as unpack_zip
    from pixcrawler.uploads.hub import push_to_hub as push

    with connect(url) as client:
        paths = _download(client, dataset_id, to, connections=4, quiet=as_json)
    if paths[0].suffix == ".zip":
        folder = unpack_zip(paths[0])
        # the folder may have existed, with other files, which must not be uploaded
        paths = [folder / name for name in names_in(paths[0])]
    else:
        folder = to
    address = push(folder, paths, repo, public=public)
    if as_json:
        print_json({"url": address, "files": len(paths)})
    else:
        say(address)


def refresh(
    dataset_id: DatasetId,
    check: Annotated[
        bool, typer.Option("--check", help="Ask the hosts of known images whether they have changed.")
    ] = False,
    remove_gone: Annotated[
        bool, typer.Option("--remove-gone", help="Remove images that sources or hosts no longer have.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Watch the job until it has ended, and show what has changed.")
    ] = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Ask the sources of a dataset again. Images that it has are not fetched again."""
    from pixcrawler.commands.watch import watch_until_the_end

    with connect(url) as client:
        job = client.refresh(dataset_id, check=check, remove_gone=remove_gone)
        if wait:
            try:
                watch_until_the_end(client, job.id, as_json=as_json)
            except Refused as error:
                # an administrator may refresh the datasets of all users, but not see their jobs
                if error.problem.status == HTTPStatus.NOT_FOUND:
                    begun = f"The refresh of {plain(dataset_id)} has begun."
                    complain(f"{begun} Only the owner of the dataset can watch it.")
                raise
            if not as_json:
                print_fields(dict(client.dataset(dataset_id).diff or {}))
        elif as_json:
            print_json(job.as_json())
        else:
            say(f"{job.id} is {job.state}. Watch it with: pixcrawler watch {job.id}")


def rehydrate(
    dataset_id: DatasetId,
    tier: Annotated[str, typer.Option("--tier", metavar="TIER", help="hot, cool or cold.")] = "hot",
    priority: Annotated[
        str, typer.Option("--priority", metavar="PRIORITY", help="standard or high.")
    ] = "standard",
    days: Annotated[
        int, typer.Option("--days", metavar="DAYS", min=1, max=365, help="How long it then stays online.")
    ] = 7,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Bring a dataset back from the Archive tier.

    One that is in another tier stays online for `--days` at least.
    """
    with connect(url) as client:
        _show(client.rehydrate(dataset_id, tier=tier, priority=priority, days=days), as_json=as_json)


def _show(dataset: "Dataset", *, as_json: bool) -> None:
    if as_json:
        print_json(dataset.as_json())
        return
    keeping = dataset.keeping
    print_fields(
        {
            "id": dataset.id,
            "name": dataset.name,
            "revision": dataset.revision,
            "images": dataset.image_count,
            "size": size_text(dataset.size_bytes),
            "format": dataset.format,
            "created": dataset.created_at,
            "tier": dataset.tier,
            "moving to": keeping.get("moving_to"),
            "online until": keeping.get("online_until"),
            "sha256": dataset.sha256,
        }
    )
    print_table(("split", "images"), list(dataset.splits.items()))
    print_table(("label", "kept"), [(label, counts.kept) for label, counts in dataset.labels.items()])


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _download(client: "Client", dataset_id: str, to: Path, connections: int, *, quiet: bool) -> list[Path]:
    if quiet or not _is_terminal():
        return client.download(dataset_id, to, connections=connections)
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from pixcrawler.downloads.dataset import Progress as Done

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console(stderr=True)
    ) as shown:
        task = shown.add_task("", total=None)

        def update(done: Done) -> None:
            name = plain(done.file)
            shown.update(task, description=name, completed=done.stored_bytes, total=done.total_bytes)

        return client.download(dataset_id, to, connections=connections, progress=update)
