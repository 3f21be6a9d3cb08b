"""`optouts`: what people have asked the operator not to use."""

from itertools import islice
from typing import Annotated

import typer

from pixcrawler.plain_text import plain
from pixcrawler.terminal.options import Json, Limit, Url, Yes, confirm, connect
from pixcrawler.terminal.output import complain, print_json, print_table, say

commands = typer.Typer(
    no_args_is_help=True, help="What people have asked the operator not to use, for administrators."
)
OptOutId = Annotated[str, typer.Argument(metavar="ID", help="The id of the opt-out.")]


@commands.command("add")
def add_optout(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="url, host, sha256 or perceptual_hash.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The address, the host or the hash.")],
    distance: Annotated[
        int | None,
        typer.Option(
            "--distance", metavar="BITS", min=0, max=8, help="How many bits of perceptual hashes may differ."
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Opt out an address, a host, a file or a picture. It counts within half a minute, also for jobs that run."""
    from pixcrawler import calls

    wanted = {"kind": kind, "value": value, **({} if distance is None else {"distance": distance})}
    with connect(url) as client:
        made = client.send(calls.add_optout(wanted))
    if as_json:
        print_json(made.as_json())
        return
    say(made.id)
    complain(f"List the datasets that have it: pixcrawler optouts datasets {plain(made.id)}")


@commands.command("list")
def list_optouts(limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List opt-outs, newest first."""
    from pixcrawler import calls

    with connect(url) as client:
        found = list(islice(client.pages(calls.optouts()), limit))
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        rows = [(each.id, each.kind, each.created_at, each.created_by, each.value) for each in found]
        print_table(("id", "kind", "created", "by", "value"), rows)


@commands.command("datasets")
def list_datasets(optout_id: OptOutId, as_json: Json = False, url: Url = None) -> None:
    """List the datasets of all users that have such an image. `pixcrawler refresh` makes a revision without it."""
    from pixcrawler import calls

    with connect(url) as client:
        found = list(client.pages(calls.optout_datasets(optout_id)))
    if as_json:
        print_json([each.as_json() for each in found])
        return
    rows = [(each.dataset_id, each.user_id, each.revision, each.images, each.name) for each in found]
    print_table(("dataset", "user", "revision", "images", "name"), rows)
    for each in found:
        if not each.complete:
            complain(f"! The records of {plain(each.dataset_id)} could not be read to the end.")


@commands.command("delete")
def delete_optout(optout_id: OptOutId, yes: Yes = False, as_json: Json = False, url: Url = None) -> None:
    """Remove an opt-out. Images that were left out do not come back by themselves."""
    from pixcrawler import calls

    confirm(f"Remove the opt-out {optout_id}?", yes=yes)
    with connect(url) as client:
        client.do(calls.delete_optout(optout_id))
    print_json({"id": optout_id, "deleted": True}) if as_json else say(f"Deleted {plain(optout_id)}.")
