"""`submit`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pixcrawler.errors import WrongUse
from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json, Url, connect
from pixcrawler.terminal.output import print_json, say

Keywords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEYWORDS", help="What the images should show. Each is a label, and is searched for."
    ),
]
SpecFile = Annotated[
    str | None,
    typer.Option(
        "--spec", metavar="FILE", help="A file with the spec, in JSON or YAML; - reads standard input."
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="LABEL=WORDS",
        help="A label with its keywords, such as cat=cat,kitten. Can be repeated.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The name of the dataset, by default its labels: cat-dog."),
]
MaxImages = Annotated[
    int | None,
    typer.Option("--max-images", metavar="NUMBER", min=1, help="How many images a label has at most."),
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="SOURCE", help="A search service, such as openverse. Can be repeated."),
]
Licenses = Annotated[
    list[str] | None,
    typer.Option("--license", metavar="LICENCE", help="Keep only images with this licence. Can be repeated."),
]
Format = Annotated[str | None, typer.Option("--format", metavar="FORMAT", help="zip, webdataset or parquet.")]
IdempotencyKey = Annotated[
    str,
    typer.Option("--idempotency-key", metavar="KEY", help="The same key and spec again give the same job."),
]
Check = Annotated[bool, typer.Option("--check", help="Say what the spec would do, without a job.")]
Wait = Annotated[bool, typer.Option("--wait", help="Watch the job until it has ended.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(submit)


def submit(
    keywords: Keywords = None,
    spec: SpecFile = None,
    label: Labels = None,
    name: Name = None,
    images: MaxImages = None,
    source: Sources = None,
    licenses: Licenses = None,
    form: Format = None,
    key: IdempotencyKey = "",
    check: Check = False,
    wait: Wait = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Submit a job: keywords, labels, or a whole spec."""
    from pixcrawler.commands.watch import watch_until_the_end
    from pixcrawler.spec_files import labels_of
    from pixcrawler.terminal.outlook import print_outlook

    fields = {
        "keywords": keywords,
        "labels": labels_of(label or ()),
        "name": name,
        "max_images_per_label": images,
        "sources": [{"type": each} for each in source or ()],
    }
    body = _spec_of(spec, fields, {"filters": {"licenses": licenses}, "output": {"format": form}})
    with connect(url) as client:
        if check:
            outlook = client.validate(body)
            print_json(outlook.as_json()) if as_json else print_outlook(outlook)
            raise typer.Exit(ExitCode.OK if outlook.accepted else ExitCode.REFUSED)
        job = client.submit(body, idempotency_key=key)
        if wait:
            watch_until_the_end(client, job.id, as_json=as_json)
        elif as_json:
            print_json(job.as_json())
        else:
            say(f"{job.id} is {job.state}. Watch it with: pixcrawler watch {job.id}")


def _spec_of(
    file: str | None, fields: Mapping[str, object], inner: Mapping[str, Mapping[str, object]]
) -> dict[str, Any]:
    """Returns the spec in the file with the fields, and the inner fields of its objects, that options give.

    Raises:
        WrongUse: the file cannot be read, or there is neither a file nor anything to search for.
    """
    from pixcrawler.spec_files import name_of, read_spec

    body = read_spec(file) if file is not None else {}
    body.update(_given(fields))
    for name, values in inner.items():
        if given := _given(values):
            whole = body.get(name)
            body[name] = {**(whole if isinstance(whole, dict) else {}), **given}
    # a spec of a file is not checked here: the app reports what is missing
    if file is None:
        if not {"keywords", "labels", "sources"} & body.keys():
            raise WrongUse("Name keywords, a --label, or a --spec. For example: pixcrawler submit cat dog")
        # files are named after their dataset: without a name, those of several datasets in one folder would be the same
        body.setdefault("name", name_of(body.get("labels") or body.get("keywords") or ()))
    return body


def _given(values: Mapping[str, object]) -> dict[str, object]:
    """Returns the values of the options that were used. An unused option is None, or empty if it can be repeated."""
    return {name: value for name, value in values.items() if value not in (None, [], {})}
