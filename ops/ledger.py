"""Commands hotline137 ledger: the public ledger."""

import sys
from typing import Annotated

import typer

from db.engine import connect, reading, writing
from hotline.ledger import entries, seals
from hotline.ledger.verify import Leap, verify
from ops.terminal import load_settings

app = typer.Typer(no_args_is_help=True, help="The public ledger of the order of calling.")

_PAGE = 2000


@app.command("verify")
def verify_all() -> None:
    """Verify the whole history; print problems and exit 1 if there are any. A clock that leapt is none."""
    report = verify(connect(load_settings().database))
    for problem in report.problems:
        typer.secho(problem, fg="red", err=True)
    if report.leap:
        typer.secho(_tell_leap(report.leap), fg="yellow", err=True)
    typer.echo(f"{report.entries} entries, {report.seals} seals: {_verdict(report.problems)}")
    if report.problems:
        raise typer.Exit(1)


def _tell_leap(leap: Leap) -> str:
    return (
        f"after entry {leap.after} dates lie ahead, up to {leap.until:%Y-%m-%d %H:%M} UTC:"
        " the clock was ahead and has been set back. That breaks no order"
    )


def _verdict(problems: list[str]) -> str:
    return f"NOT IN ORDER, {len(problems)} problems" if problems else "all in order"


@app.command("seal")
def seal_now() -> None:
    """Seal the new entries now, as the scheduler does every minute; print the newest seal."""
    engine = connect(load_settings().database)
    with reading(engine) as session:
        seals.warm(session)
    with writing(engine) as session:
        made = seals.seal(session) or seals.find_newest(session)
        typer.echo(f"{made.size} {made.root}" if made else "nothing to seal")


@app.command("export")
def export(after: Annotated[int, typer.Option(help="Begin after this entry.")] = 0) -> None:
    """Print the entries, one canonical text a line, as the hashes use it (docs/ledger.md)."""
    engine = connect(load_settings().database)
    while True:
        with reading(engine) as session:
            found = entries.list_entries(session, after, _PAGE)
        for entry in found:
            sys.stdout.buffer.write(entries.format_canonical(entry) + b"\n")
        if len(found) < _PAGE:
            return
        after = found[-1].id
