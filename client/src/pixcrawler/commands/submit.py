"""`submit`."""

from typing import Annotated, Any

import typer

from pixcrawler.errors import WrongUse
from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json, Url, connect
from pixcrawler.terminal.output import print_json, say


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(submit)


def submit(
    keywords: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEYWORDS", help="What the images should show. Each is a label, and is searched for."
        ),
    ] = None,
    spec: Annotated[
        str | None,
        typer.Option(
            "--spec", metavar="FILE", help="A file with the spec, in JSON or YAML; - reads standard input."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="LABEL=WORDS",
            help="A label with its keywords, such as cat=cat,kitten. Can be repeated.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The name of the dataset, by default its labels: cat-dog.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option("--max-images", metavar="NUMBER", min=1, help="How many images a label has at most."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="SOURCE", help="A search service, such as openverse. Can be repeated."
        ),
    ] = None,
    licenses: Annotated[
        list[str] | None,
        typer.Option(
            "--license", metavar="LICENCE", help="Keep only images with this licence. Can be repeated."
        ),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="zip, webdataset or parquet.")
    ] = None,
    key: Annotated[
        str,
        typer.Option(
            "--idempotency-key", metavar="KEY", help="The same key and spec again give the same job."
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Say what the spec would do, without a job.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Watch the job until it has ended.")] = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Submit a job: keywords, labels, or a whole spec."""
    from pixcrawler.commands.watch import watch_until_the_end
    from pixcrawler.spec_files import labels_of, name_of, read_spec
    from pixcrawler.terminal.outlook import print_outlook

    body = read_spec(spec) if spec is not None else {}
    given: dict[str, Any] = {
        "keywords": keywords or None,
        "labels": labels_of(label) if label else None,
        "name": name,
        "max_images_per_label": images,
        "sources": [{"type": each} for each in source] if source else None,
        "filters": {**_object(body, "filters"), "licenses": licenses} if licenses else None,
        "output": {**_object(body, "output"), "format": form} if form else None,
    }
    body.update({field: value for field, value in given.items() if value is not None})
    # of a whole spec, the app says what is missing
    if spec is None:
        if not {"keywords", "labels", "sources"} & body.keys():
            raise WrongUse("Name keywords, a --label, or a --spec. For example: pixcrawler submit cat dog")
        # the files of a dataset have its name, and those of several may go to one folder
        body.setdefault("name", name_of(body.get("labels") or body.get("keywords") or ()))
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


def _object(body: dict[str, Any], field: str) -> dict[str, Any]:
    value = body.get(field)
    return value if isinstance(value, dict) else {}
