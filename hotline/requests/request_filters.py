"""Filters of the requests' page that a person saves under a name."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.models import RequestFilter, User
from hotline.errors import Refused

MOST = 20


def list_filters(session: Session, user_id: int) -> Sequence[RequestFilter]:
    """Return a person's filters, by name."""
    mine = select(RequestFilter).where(RequestFilter.user_id == user_id)
    return session.scalars(mine.order_by(RequestFilter.name, RequestFilter.id)).all()


def keep(session: Session, user_id: int, name: str, query: str, *, replace: bool) -> RequestFilter:
    """Save a filter; with `replace`, overwrite the one of the same name.

    Raises Refused("filter-exists" | "too-many-filters").
    """
    mine = _held(session, user_id)
    row = mine.get(name)
    if row is not None and not replace:
        raise Refused("filter-exists", "there is one of this name")
    if row is None and len(mine) >= MOST:
        raise Refused("too-many-filters", f"a person keeps {MOST} at most")
    row = row or RequestFilter(user_id=user_id, name=name)
    row.query = query
    session.add(row)
    session.flush()
    return row


def rename(session: Session, user_id: int, filter_id: int, name: str) -> RequestFilter:
    """Rename a filter. Raises Refused("not-found" | "filter-exists")."""
    mine = _held(session, user_id)
    row = next((each for each in mine.values() if each.id == filter_id), None)
    if row is None:
        raise Refused("not-found", f"no filter {filter_id}")
    if mine.get(name, row) is not row:
        raise Refused("filter-exists", "there is one of this name")
    row.name = name
    session.flush()
    return row


def drop(session: Session, user_id: int, filter_id: int) -> None:
    """Delete a filter; deleting a missing one does nothing."""
    session.execute(
        delete(RequestFilter).where(RequestFilter.id == filter_id, RequestFilter.user_id == user_id)
    )


def _held(session: Session, user_id: int) -> dict[str, RequestFilter]:
    """Return a person's filters by name, and lock the person: only one of their windows changes filters at a
    time.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    return {each.name: each for each in list_filters(session, user_id)}
