"""Code that admits the first administrator: shown at an empty installation's start, and by a command."""

import typer

from db.engine import connect, reading, writing
from hotline.setup import first_visit
from ops.terminal import load_settings as settings_in_force
from ops.terminal import open_transaction
from settings import Settings


def make_lines(settings: Settings) -> list[str]:
    """Return an empty installation's lines at its start, with a new code; none once an account exists."""
    engine = connect(settings.database)
    try:
        with reading(engine) as session:
            if not first_visit.is_open(session):
                return []
        with writing(engine) as session:
            return _told(settings, first_visit.make_code(session, settings))
    finally:
        engine.dispose()


def print_setup_code() -> None:
    """Print a new code for the first visit; the one before is void."""
    settings = settings_in_force()
    with open_transaction() as session:
        for line in _told(settings, first_visit.make_code(session, settings)):
            typer.echo(line)


def _told(settings: Settings, code: str) -> list[str]:
    return [
        f"  first visit: {settings.public}/setup",
        f"  code:        {code}   (until the first administrator is made, or there is a new one)",
    ]
