"""`lists`: lists of URLs to make datasets of."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from pixcrawler.terminal.options import Json, Limit, Url, Yes, confirm, connect
from pixcrawler.terminal.output import print_json, print_table, say, size_text

commands = typer.Typer(no_args_is_help=True, help="Lists of URLs to make datasets of.")


@commands.command("upload")
def upload_list(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The list: txt, csv, tsv, jsonl, json (also .gz) or parquet."),
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What you call the list.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Store a list of URLs, of up to 2 GB.

    The output is the name of the blob. A spec uses it like this: {"sources": [{"type": "urls", "blob": NAME}]}
    """
    with connect(url) as client:
        found = client.upload_list(path, name=name)
    if as_json:
        print_json(found.as_json())
    else:
        say(found.blob)


@commands.command("list")
def list_lists(limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List your stored lists, newest first."""
    from pixcrawler import calls

    with connect(url) as client:
        found = list(islice(client.pages(calls.lists()), limit))
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        rows = [(each.id, each.state, size_text(each.size_bytes), each.name, each.blob) for each in found]
        print_table(("id", "state", "size", "name", "blob"), rows)


@commands.command("delete")
def delete_list(
    list_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the list.")],
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Delete a list."""
    from pixcrawler import calls

    confirm(f"Delete the list {list_id}?", yes=yes)
    with connect(url) as client:
        client.do(calls.delete_list(list_id))
    print_json({"id": list_id, "deleted": True}) if as_json else say(f"Deleted {list_id}.")
