"""`users`: the users of the app, for its administrators, and your own profile."""

from itertools import islice
from typing import Annotated

import typer

from pixcrawler.errors import WrongUse
from pixcrawler.terminal.options import Json, Limit, Url, Yes, confirm, connect
from pixcrawler.terminal.output import print_fields, print_json, print_table, say

commands = typer.Typer(no_args_is_help=True, help="Users of the app, and your own profile.")
UserId = Annotated[str, typer.Argument(metavar="ID", help="The id of the user.")]


@commands.command("me")
def show_me(as_json: Json = False, url: Url = None) -> None:
    """Show your own tier, your limits, and what you use of them."""
    from pixcrawler import calls

    with connect(url) as client:
        me = client.send(calls.profile())
    if as_json:
        print_json(me.as_json())
        return
    shown = {"id": me.id, "name": me.name, "tier": me.tier, "scopes": ", ".join(me.scopes)}
    print_fields({**shown, **(me.usage or {}), **(me.limits or {})})


@commands.command("list")
def list_users(limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List users, newest first."""
    from pixcrawler import calls

    with connect(url) as client:
        found = list(islice(client.pages(calls.users()), limit))
    if as_json:
        print_json([user.as_json() for user in found])
    else:
        rows = [(user.id, user.status, user.tier, user.created_at, user.name) for user in found]
        print_table(("id", "status", "tier", "created", "name"), rows)


@commands.command("show")
def show_user(user_id: UserId, as_json: Json = False, url: Url = None) -> None:
    """Show one user."""
    from pixcrawler import calls

    with connect(url) as client:
        _show(client.send(calls.user(user_id)).as_json(), as_json=as_json)


@commands.command("add")
def add_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the user.")],
    tier: Annotated[str, typer.Option("--tier", metavar="TIER", help="free, pro or enterprise.")] = "free",
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Make a user. `keys add --user` then makes the user's first key."""
    from pixcrawler import calls

    with connect(url) as client:
        _show(client.send(calls.add_user(name, tier)).as_json(), as_json=as_json)


@commands.command("change")
def change_user(
    user_id: UserId,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The new name.")] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", metavar="TIER", help="free, pro or enterprise.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="active or disabled.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Change a user's name, tier or status."""
    from pixcrawler import calls

    given = {"name": name, "tier": tier, "status": status}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise WrongUse("Say what to change: --name, --tier or --status.")
    with connect(url) as client:
        _show(client.send(calls.change_user(user_id, changes)).as_json(), as_json=as_json)


@commands.command("delete")
def delete_user(
    user_id: UserId,
    datasets: Annotated[
        str,
        typer.Option("--datasets", metavar="CHOICE", help="What becomes of the datasets: keep or delete."),
    ],
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Delete a user in the next nights. The user's keys are refused at once."""
    from pixcrawler import calls

    if datasets not in {"keep", "delete"}:
        raise WrongUse(f"--datasets is {datasets!r}; it must be keep or delete")
    confirm(f"Delete the user {user_id}, and {datasets} the datasets?", yes=yes)
    with connect(url) as client:
        user = client.send(calls.delete_user(user_id, with_datasets=datasets == "delete"))
    print_json(user.as_json()) if as_json else say(f"{user.id} is {user.status}.")


def _show(user: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(user)
    else:
        shown = {name: value for name, value in user.items() if not isinstance(value, dict)}
        print_fields({name.removesuffix("_at"): value for name, value in shown.items()})
