"""Calls that are tried a few times, of what a row of the database asks for.

`token` is committed before a call is placed, so that it is never placed twice.
"""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import LeftNumber, SolvedCall
from hotline.line import engaged

Row = TypeVar("Row", LeftNumber, SolvedCall)

_AFTER_OUR_FAULT = timedelta(minutes=1)


class Tries(ABC, Generic[Row]):
    """Of one kind."""

    def __init__(
        self,
        row: type[Row],
        prefix: str,
        *,
        due: tuple[ColumnElement[bool], Select[int]],
        tries: int,
        again: timedelta,
        too_often: timedelta,
    ) -> None:
        """`due`: which rows are to be called now, and the query of all, with the parameters of `asked`.

        `again`: after a call that nobody took. `too_often`: after the number was called too often.
        """
        self._row: type[Row] = row
        self._prefix = prefix
        self._is_due, self._all_due = due
        self._tries, self._again, self._too_often = tries, again, too_often

    @property
    def longest_wait(self) -> timedelta:
        """Return the longest time for which a row may not be due yet."""
        return max(self._again, self._too_often)

    def asked(self, at: datetime) -> dict[str, Any]:
        """The parameters of what is due."""
        return {"at": at, **engaged.asked(at)}

    @abstractmethod
    def number(self, row: Row) -> str:
        """Whom to call (E.164)."""

    @abstractmethod
    def is_heard(self, row: Row) -> bool:
        """Whether somebody has picked up: then no second call follows."""

    def begins_again(self, row: Row) -> bool:
        """The call was cut by our own fault: whether it may be as if nobody had picked up. Then it is."""
        return not self.is_heard(row)

    def given_up(self, row: Row, *, may_be_called: bool) -> None:
        """Nobody is called any more for it."""

    def is_token(self, channel_id: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return channel_id.startswith(self._prefix)

    def due(self, session: Session, limit: int) -> Sequence[int]:
        """Those that are to be called now, at most `limit`."""
        asked = {"limit": limit, **self.asked(now(session))}
        return session.execute(self._all_due, asked).scalars().all()

    def take_up(self, session: Session, row_id: int) -> Row | None:
        """Give it its token: from here on this call is placed once. None if it is not due."""
        at, row = now(session), self._row
        taken = session.scalar(
            update(row)
            .where(row.id == row_id, self._is_due)
            .values(token=f"{self._prefix}{uuid.uuid4().hex}", placed_at=at, tries=row.tries + 1)
            .returning(row.id)
            .execution_options(synchronize_session=False),
            self.asked(at),
        )
        return session.get(row, taken, populate_existing=True) if taken else None

    def put_off(self, row: Row, until: datetime | None = None) -> None:
        """It was taken up and may not be placed now: due again `until` then, as if never taken up."""
        row.token = row.placed_at = None
        row.tries -= 1
        row.due_at = until or row.due_at

    def put_off_long(self, session: Session, row: Row) -> None:
        """The number has been called so often that its turn is later, or never."""
        self.put_off(row, now(session) + self._too_often)

    def by_token(self, session: Session, token: str) -> Row | None:
        """The one whose channel is `token`."""
        query = select(self._row).where(self._row.token == token)
        return session.scalar(query.execution_options(populate_existing=True))

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        query = select(self._row.token, self._row.placed_at).where(self._row.token.is_not(None))
        return {token: at for token, at in session.execute(query) if token and at}

    def ended(self, session: Session, token: str, *, ours: bool = False) -> None:
        """The call is over, or was never placed. Whom it did not reach is called again, a few times in all.

        What came to nothing by our own fault counts as no try.
        """
        row = self.by_token(session, token)
        if row is None:
            return
        at = now(session)
        if self.is_heard(row):
            row.token, row.ended_at = None, at
        elif ours:
            self.put_off(row, at + _AFTER_OUR_FAULT)
        elif row.tries >= self._tries:
            self._give_up(session, row, may_be_called=True)
        else:
            row.token, row.placed_at, row.due_at = None, None, at + self._again

    def apologised(self, session: Session, token: str) -> None:
        """Somebody has picked up and heard our apology: a try, but whom we have not let in has another."""
        row = self.by_token(session, token)
        if row is None:
            return
        self.begins_again(row)
        session.flush()
        self.ended(session, token)

    def cut(self, session: Session, tokens: Select[str]) -> None:
        """Their node is gone: whom it has not let in yet is called again soon, at no try's cost."""
        soon = now(session) + _AFTER_OUR_FAULT
        for row in session.scalars(select(self._row).where(self._row.token.in_(tokens))).all():
            if self.begins_again(row):
                self.put_off(row, soon)
        session.flush()

    def never(self, session: Session, row: Row) -> None:
        """This number may not be called at all."""
        self._give_up(session, row, may_be_called=False)

    def _give_up(self, session: Session, row: Row, *, may_be_called: bool) -> None:
        row.token, row.ended_at = None, now(session)
        self.given_up(row, may_be_called=may_be_called)
