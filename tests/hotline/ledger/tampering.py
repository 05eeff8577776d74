"""The owner of the machine changes append-only rows; and what `verify` says of it."""

from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from db.engine import writing
from hotline.ledger.verify import verify


def problems(engine: Engine) -> list[str]:
    return verify(engine).problems


def free_to_edit(session: Session, table: str) -> None:
    """Drop what refuses changes: whoever rules the machine can."""
    if session.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER {table}_no_{what}"))
    else:
        for what in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER no_{what} ON {table}"))


def edit(engine: Engine, table: str, statement: str, **values: Any) -> None:
    with writing(engine) as session:
        free_to_edit(session, table)
        session.execute(text(statement), values)
