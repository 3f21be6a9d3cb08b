"""`images`."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json, Limit, Url, connect
from pixcrawler.terminal.output import complain, print_json, print_table, say, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixcrawler.answers import Image
    from pixcrawler.errors import Refused
    from pixcrawler.filters import ImageFilters


Label = Annotated[str | None, typer.Option("--label", metavar="LABEL", help="Only images of this label.")]
Split = Annotated[
    str | None, typer.Option("--split", metavar="SPLIT", help="Only this split: train, val or test.")
]
License = Annotated[
    str | None,
    typer.Option("--license", metavar="LICENCE", help="Only images under this licence, such as by-sa."),
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="SOURCE", help="Only images of this source, such as openverse."),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="ORDER", help="found, largest, smallest, sharpest, blurriest, brightest or darkest."
    ),
]
OfJob = Annotated[
    bool,
    typer.Option("--job", help="The images that the job has kept so far, newest first. No split, no sort."),
]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="FOLDER", help="Store the images in this folder, by label."),
]
Width = Annotated[
    int | None,
    typer.Option(
        "--width",
        metavar="PIXELS",
        help="With --save, store small JPEGs: 64, 128, 256, 512 or 1024 pixels wide.",
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(images)


def images(
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the dataset, or of its job.")],
    label: Label = None,
    split: Split = None,
    license_name: License = None,
    source: Source = None,
    sort: Sort = None,
    of_job: OfJob = False,
    save: Save = None,
    width: Width = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List the images of a dataset, or store some of them."""
    filters: ImageFilters = {
        "label": label,
        "split": split,
        "license": license_name,
        "source": source,
        "sort": sort,
    }
    with connect(url) as client:
        found = list(islice(client.images(dataset_id, of_job=of_job, **filters), limit))
        if save is not None:
            from pixcrawler.downloads.images import save_images

            stored = save_images(client, dataset_id, found, save, of_job=of_job, width=width)
            _print_stored(found, stored, as_json=as_json)
        elif as_json:
            print_json([image.as_json() for image in found])
        else:
            _print_images(found)


def _print_images(found: "list[Image]") -> None:
    rows = [
        (
            each.n,
            each.label,
            each.split,
            each.license,
            each.source,
            f"{each.width}x{each.height}",
            size_text(each.size_bytes),
        )
        for each in found
    ]
    print_table(("n", "label", "split", "license", "source", "pixels", "size"), rows)


def _print_stored(found: "list[Image]", stored: "Iterator[Path | Refused]", *, as_json: bool) -> None:
    """Prints the path of each image when it is stored. Those that the app cannot show are named beside them."""
    paths: list[str] = []
    missing = 0
    for image, result in zip(found, stored, strict=True):
        if isinstance(result, Path):
            paths.append(str(result))
            if not as_json:
                say(str(result))
        else:
            missing += 1
            complain(f"{image.n}: {result}")
    if as_json:
        print_json({"files": paths, "missing": missing})
    if missing:
        raise typer.Exit(ExitCode.REFUSED)
