"""The person of a cookie, and all that the database keeps."""

from sqlalchemy import MetaData, select
from sqlalchemy.orm import Session

from db.models import User
from hotline.people import sign_ins


def signed_in(session: Session, cookie: str) -> User | None:
    found = sign_ins.find_session(session, cookie)
    return found.user if found else None


def everything_stored(session: Session) -> str:
    """Every value of every table, as one text."""
    tables = MetaData()
    tables.reflect(session.connection())
    return repr([session.execute(select(table)).all() for table in tables.sorted_tables])
