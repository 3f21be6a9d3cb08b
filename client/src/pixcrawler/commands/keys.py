"""`keys`: your API keys or, for administrators, those of any user."""

from typing import Annotated

import typer

from pixcrawler.terminal.options import Json, Url, Yes, confirm, connect
from pixcrawler.terminal.output import complain, print_json, print_table, say

commands = typer.Typer(no_args_is_help=True, help="API keys: yours, or those of another user.")
OfUser = Annotated[
    str, typer.Option("--user", metavar="ID", help="The id of another user, for administrators.")
]


@commands.command("list")
def list_keys(user: OfUser = "me", as_json: Json = False, url: Url = None) -> None:
    """List keys, without their secrets."""
    from pixcrawler import calls

    with connect(url) as client:
        found = client.send(calls.keys(user)).items
    if as_json:
        print_json([key.as_json() for key in found])
    else:
        rows = [
            (key.id, key.prefix, " ".join(key.scopes), key.expires_at, key.last_used_at, key.name)
            for key in found
        ]
        print_table(("id", "prefix", "scopes", "expires", "last used", "name"), rows)


@commands.command("add")
def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="read, submit or admin. Can be repeated; without it, read and submit.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="When the key expires, such as 2027-01-31T00:00:00Z."),
    ] = None,
    user: OfUser = "me",
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Make a key. Its text is printed this once."""
    from pixcrawler import calls

    with connect(url) as client:
        key = client.send(calls.add_key(user, name, scope or ["read", "submit"], expires))
    if as_json:
        print_json(key.as_json())
        return
    say(key.key)
    complain(f"This is the key {key.id}. It is not shown again.")


@commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")],
    user: OfUser = "me",
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Revoke a key. This cannot be undone."""
    from pixcrawler import calls

    confirm(f"Revoke the key {key_id}?", yes=yes)
    with connect(url) as client:
        client.do(calls.revoke_key(user, key_id))
    print_json({"id": key_id, "revoked": True}) if as_json else say(f"Revoked {key_id}.")
