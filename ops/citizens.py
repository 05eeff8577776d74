"""Commands hotline137 citizen: the data of a number, given out or deleted at its owner's wish."""

import json
from typing import Annotated

import typer

from hotline import audit, numbers
from hotline.citizens import account_contents, erasure
from ops import terminal

app = typer.Typer(no_args_is_help=True, help="The data of a citizen's number.")

Number = Annotated[str, typer.Argument(help="A telephone number, as people write it.")]


@app.command()
def export(number: Number) -> None:
    """Print all data of a number as JSON; the audit log records it."""
    called = _parse(number)
    with terminal.open_transaction() as session:
        found = account_contents.export(
            session, called, who=audit.COMMAND_LINE, public_url=terminal.load_settings().public
        )
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@app.command()
def delete(
    number: Number,
    give_up: Annotated[bool, typer.Option(help="Also give up places in lines.")] = False,
) -> None:
    """Delete the data of a number; docs/citizens.md names what stays."""
    called = _parse(number)
    with terminal.open_transaction() as session:
        erasure.delete_citizen(session, called, who=audit.COMMAND_LINE, give_up=give_up)
    typer.echo("deleted; files go within a minute")


@app.command("new-owner")
def new_owner(
    number: Number,
    reason: Annotated[str, typer.Option(help="The proof, for the audit log.", prompt=True)],
    give_up: Annotated[bool, typer.Option(help="Also give up places in lines.")] = False,
) -> None:
    """Separate the number from all data of its former owner, for good: somebody else has it now."""
    called = _parse(number)
    with terminal.open_transaction() as session:
        erasure.delete_former_owner(session, called, who=audit.COMMAND_LINE, reason=reason, give_up=give_up)
    typer.echo("separated; files go within a minute")


def _parse(number: str) -> str:
    """Parse any valid number: one that is no longer called may have data."""
    called = numbers.parse_caller(number, terminal.load_settings().allowed_prefixes)
    if called is None:
        raise terminal.fail(f"no telephone number: {number}")
    return called
