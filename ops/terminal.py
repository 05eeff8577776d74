"""What all commands share: the settings in force, and how a command fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.engine import connect, glance, reading, writing
from db.version import fits
from hotline.errors import Refused
from settings import Settings, SettingsError, load


def settings() -> Settings:
    """The settings; ends the command if one is wrong."""
    try:
        return load()
    except SettingsError as error:
        typer.secho(f"Wrong settings:\n{error}", fg="red", err=True)
        raise typer.Exit(2) from None


def fail(reason: object) -> typer.Exit:
    """Say why, in red; the caller raises what this returns."""
    typer.secho(str(reason), fg="red", err=True)
    return typer.Exit(1)


@contextmanager
def answering() -> Iterator[None]:
    """What needs the database; ends the command if it does not answer. No password is in what it says."""
    try:
        yield
    except OperationalError as error:
        why = str(error.orig).partition("\n")[0]
        raise fail(f"the database does not answer: {why}; hotline137 doctor says more") from None


@contextmanager
def transaction(*, read_only: bool = False) -> Iterator[Session]:
    """One transaction of a command; ends the command if a rule refuses, or the database lacks our tables."""
    open_ = reading if read_only else writing
    engine = connect(settings().database)
    with answering(), glance(engine) as connection:
        if not fits(connection):
            raise fail("this version's tables are not in the database: hotline137 db upgrade")
    try:
        with answering(), open_(engine) as session:
            yield session
    except Refused as refused:
        raise fail(refused) from None
