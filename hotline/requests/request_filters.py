"""Filters of the requests' page that a person keeps under names of their own."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.models import RequestFilter, User
from hotline.errors import Refused

MOST = 20


def kept(session: Session, user_id: int) -> Sequence[RequestFilter]:
    """A person's, by their names."""
    mine = select(RequestFilter).where(RequestFilter.user_id == user_id)
    return session.scalars(mine.order_by(RequestFilter.name, RequestFilter.id)).all()


def keep(session: Session, user_id: int, name: str, query: str, *, replace: bool) -> RequestFilter:
    """Keep it; `replace`: in the place of the one of that name.

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
    """Give it another name. Raises Refused("not-found" | "filter-exists")."""
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
    """Keep it no longer; one that is gone may be dropped again."""
    session.execute(
        delete(RequestFilter).where(RequestFilter.id == filter_id, RequestFilter.user_id == user_id)
    )


def _held(session: Session, user_id: int) -> dict[str, RequestFilter]:
    """A person's, by name; one window of theirs at a time changes them."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    return {each.name: each for each in kept(session, user_id)}
