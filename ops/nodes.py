"""Commands hotline137 node: the machines that share this database."""

import json
import time
from typing import Annotated

import typer

from hotline import audit
from hotline.nodes import administration
from ops.terminal import open_transaction

app = typer.Typer(no_args_is_help=True, help="Machines that share this database (docs/operate/nodes.md).")

_LOOK_S = 1.0
_LOOKS = 2
"""Polls without work before a node counts as idle: between two conversations there may be a moment without.
"""

_INTERRUPTED = 130
"""Exit code of shells after Ctrl-C."""

_Name = Annotated[str, typer.Argument(help="The node's name, its HOTLINE_NODE.")]


@app.command("list")
def list_nodes() -> None:
    """Print all nodes: state, room, rounds, calls, desks.

    States: live, draining, no-asterisk, no-trunk, no-ivr, silent, gone.
    """
    with open_transaction(read_only=True) as session:
        found = [each._asdict() for each in administration.list_all(session)]
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1, default=lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"))


@app.command()
def drain(
    name: _Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let the node get new rounds again.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until it has no round, call or caller, or is gone.")
    ] = False,
) -> None:
    """Give the node no new round; its present work ends by itself, and nobody is cut off."""
    with open_transaction() as session:
        administration.drain(session, name, who=audit.COMMAND_LINE, drained=not undo)
    typer.echo(f"node {name}: " + ("gets new work again" if undo else "gets no new work"))
    if wait and not undo:
        try:
            _wait(name)
        except KeyboardInterrupt:
            typer.echo(f"node {name} stays drained; to take it back: hotline137 node drain {name} --undo")
            raise typer.Exit(_INTERRUPTED) from None


def _wait(name: str) -> None:
    rested, said = 0, ""
    while rested < _LOOKS:
        with open_transaction(read_only=True) as session:
            left = administration.count_in_progress(session, name)
        rested = 0 if left else rested + 1
        words = ", ".join(f"{kind}: {count}" for kind, count in left.items())
        if words not in ("", said):
            typer.echo(f"waits for {words}")
            said = words
        if rested < _LOOKS:
            time.sleep(_LOOK_S)
    typer.echo(f"node {name}: nothing goes on there")


@app.command()
def remove(name: _Name) -> None:
    """Remove a node that is gone for good."""
    with open_transaction() as session:
        administration.give_up(session, name, who=audit.COMMAND_LINE)
    with open_transaction() as session:
        administration.remove(session, name, who=audit.COMMAND_LINE)
    typer.echo(f"node {name}: removed")
