"""`insights` and `health`."""

from typing import Annotated

import typer

from pixcrawler.plain_text import plain
from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json, Url, connect
from pixcrawler.terminal.output import complain, print_json, print_table, say


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(insights)
    app.command()(health)


def insights(
    report: Annotated[
        str | None, typer.Argument(metavar="REPORT", help="The report to run. Without it, all are listed.")
    ] = None,
    hours: Annotated[
        int, typer.Option("--hours", metavar="HOURS", min=1, max=720, help="How far back it reaches.")
    ] = 24,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Run a report on what the service does, as an administrator."""
    from pixcrawler import calls

    with connect(url) as client:
        if report is None:
            found = [each.as_json() for each in client.send(calls.reports()).items]
            if as_json:
                print_json(found)
            else:
                print_table(
                    ("report", "what it shows"), [(each.get("name"), each.get("title")) for each in found]
                )
            return
        answer = client.send(calls.report(report, hours))
    if as_json:
        print_json(answer.as_json())
        return
    names = [column.name for column in answer.columns]
    print_table([plain(name) for name in names], [[row.get(name) for name in names] for row in answer.rows])
    if answer.notice:
        complain(answer.notice)


def health(as_json: Json = False, url: Url = None) -> None:
    """Show how the app is. The exit code is 1 if it is not healthy. An administrator's key also shows the parts."""
    from pixcrawler import calls

    with connect(url) as client:
        found = client.send(calls.health())
    if as_json:
        print_json(found.as_json())
    else:
        say(found.status)
        checks = {name: check for name, check in (found.checks or {}).items() if isinstance(check, dict)}
        if checks:
            rows = [(name, check.get("status"), check.get("detail")) for name, check in checks.items()]
            print_table(("part", "status", "detail"), rows)
    if found.status != "healthy":
        raise typer.Exit(ExitCode.FAILED)
