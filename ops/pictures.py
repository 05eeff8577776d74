"""Commands hotline137 pictures: the location of requests' pictures."""

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer

from db.engine import connect, reading
from hotline import heartbeats
from hotline.errors import Refused
from hotline.pictures import stores, transfer
from hotline.pictures.stores import Store
from hotline.pictures.transfer import Moved
from ops import terminal

app = typer.Typer(no_args_is_help=True, help="Location of requests' pictures.")

_AT_ONCE = 200


class Where(StrEnum):
    """Target of a move."""

    STORE = "store"
    FOLDER = "folder"


@app.callback()
def _group() -> None:
    """Location of requests' pictures."""


@app.command()
def move(where: Annotated[Where, typer.Argument(help="The new location of all pictures.")]) -> None:
    """Move all pictures to the store or back to the folder; each is compared with its checksum.

    Before a move back stop the scheduler; empty HOTLINE_PICTURES_STORE afterwards.
    """
    settings = terminal.load_settings()
    bucket, folder = stores.open_bucket(settings), stores.open_folder(settings)
    if bucket is None:
        raise terminal.fail("no store is named: HOTLINE_PICTURES_STORE")
    to_store = where is Where.STORE
    with terminal.open_transaction(read_only=True) as session:
        if not to_store and heartbeats.is_alive(session, heartbeats.SCHEDULER):
            raise terminal.fail("the scheduler would bring them back: stop it first")
    source, target = (folder, bucket) if to_store else (bucket, folder)
    became = _moved(source, target, to_store=to_store)
    typer.echo(", ".join(f"{each}: {became[each]}" for each in Moved))
    if became[Moved.MISSING] or became[Moved.DAMAGED]:
        raise typer.Exit(1)


def _moved(source: Store, target: Store, *, to_store: bool) -> Counter[Moved]:
    engine, became, after = connect(terminal.load_settings().database), Counter[Moved](), ""
    while True:
        with reading(engine) as session:
            due = transfer.list_due(session, stored=not to_store, after=after, limit=_AT_ONCE)
        if not due:
            return became
        after = due[-1].name
        for file in due:
            try:
                how = transfer.move(engine, file, source, target, stored=to_store)
            except (OSError, Refused) as error:
                raise terminal.fail(f"{file.name}: {error}; what is moved is moved: try again") from None
            became[how] += 1
            if how in (Moved.MISSING, Moved.DAMAGED):
                typer.secho(f"{file.name}: {how}", fg="red", err=True)
