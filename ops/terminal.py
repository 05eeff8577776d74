"""Shared functions of all commands: the settings in force, and failing."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.engine import connect, reading, writing
from db.version import may_run
from hotline.errors import Refused
from settings import Settings, SettingsError, load


def load_settings() -> Settings:
    """Return the settings; end the command if one is wrong."""
    try:
        return load()
    except SettingsError as error:
        typer.secho(f"Wrong settings:\n{error}", fg="red", err=True)
        raise typer.Exit(2) from None


def fail(reason: object) -> typer.Exit:
    """Print the reason in red. The caller raises the returned exit."""
    typer.secho(str(reason), fg="red", err=True)
    return typer.Exit(1)


@contextmanager
def handle_no_answer() -> Iterator[None]:
    """Run a block that needs the database; end the command if it does not answer. No password is printed."""
    try:
        yield
    except OperationalError as error:
        why = str(error.orig).partition("\n")[0]
        raise fail(f"the database does not answer: {why}; hotline137 doctor says more") from None


@contextmanager
def open_transaction(*, read_only: bool = False) -> Iterator[Session]:
    """Open a transaction of a command; end the command after a refusal, or if the tables are missing."""
    open_ = reading if read_only else writing
    engine = connect(load_settings().database)
    with handle_no_answer(), reading(engine) as session:
        if not may_run(session.connection()):
            raise fail("this version's tables are not in the database: hotline137 db upgrade")
    try:
        with handle_no_answer(), open_(engine) as session:
            yield session
    except Refused as refused:
        raise fail(refused) from None
