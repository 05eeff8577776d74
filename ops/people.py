"""Commands for a person who cannot sign in, or must not any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from db.models import User
from hotline import audit
from hotline.errors import Refused
from hotline.people import accounts, sign_ins
from ops.terminal import load_settings, open_transaction


def add_to(app: typer.Typer) -> None:
    """Add these commands to `hotline137 user`."""
    app.command("password")(set_password)
    app.command("reset-second-factor")(reset_second_factor)
    app.command("end-sessions")(end_sessions)


def set_password(
    username: str,
    new: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Give a person a new password, to be changed at the next sign-in.

    The name is unlocked, and all their sessions end.
    """
    with _person(username, "password-set") as (session, user):
        accounts.set_password(session, user.id, new, given=True, city=load_settings().of_city)
        sign_ins.end_sessions(session, user.id)


def reset_second_factor(username: str) -> None:
    """Delete a person's authenticator and recovery codes (a lost phone); all their sessions end."""
    with _person(username, "second-factor-reset") as (session, user):
        accounts.reset_second_factor(session, user.id)


def end_sessions(username: str) -> None:
    """Sign a person out everywhere."""
    with _person(username, "sessions-ended") as (session, user):
        sign_ins.end_sessions(session, user.id)


@contextmanager
def _person(username: str, action: str) -> Iterator[tuple[Session, User]]:
    with open_transaction() as session:
        user = accounts.find_by_name(session, username)
        if user is None:
            raise Refused("not-found", f"no person {username}")
        yield session, user
        audit.record(session, audit.COMMAND_LINE, action, f"person {username}")
