"""An objection goes to another person, and nothing closes unconfirmed without being marked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Request, Role, User
from hotline.errors import Refused
from hotline.requests import closing, lifecycle, work
from tests.factories import a_department, a_request, a_user, at_once
from tests.hotline.requests.office import S, T, today

REPLY = "ترمیم شد"

ACTS: dict[str, Callable[[Session, Request, str], object]] = {
    "refer": lambda session, request, who: work.refer(
        session, request, a_department(session), due_on=today(session), who=who
    ),
    "reply": lambda session, request, who: work.reply(session, request, who=who, reply=REPLY),
    "reject": lambda session, request, who: closing.reject(session, request, who=who, reason="کار شهر نیست"),
    "merge": lambda session, request, who: closing.merge(session, request.id, a_request(session).id, who=who),
}


def objected(session: Session, by: User) -> Request:
    """One that this person has called solved, to which its citizen objects."""
    request = a_request(session)
    work.reply(session, request, who=by.username, reply=REPLY)
    closing.answer(session, request.id, solved=False)
    return request


@pytest.mark.parametrize("act", ACTS)
def test_objection_is_handled_by_another_person_only(session: Session, act: str) -> None:
    one, other = a_user(session), a_user(session)
    request = objected(session, one)
    before = len(lifecycle.list_steps(session, request))
    with pytest.raises(Refused) as refused:
        ACTS[act](session, request, one.username)
    assert (refused.value.code, request.state) == ("objection-own", S.REOPENED)
    assert len(lifecycle.list_steps(session, request)) == before
    ACTS[act](session, request, other.username)
    assert request.state is not S.REOPENED


def test_objection_without_another_person_stays_with_the_first(
    session: Session,
) -> None:
    one, gone, reads = a_user(session), a_user(session), a_user(session)
    gone.disabled_at, reads.role = now(session), Role.AUDITOR
    session.flush()
    request = objected(session, one)
    work.reply(session, request, who=one.username, reply=REPLY)
    assert request.state is S.REPLIED


def test_objection_referred_by_another_is_open_to_all(
    session: Session,
) -> None:
    one, other = a_user(session), a_user(session)
    request = objected(session, one)
    ACTS["refer"](session, request, other.username)
    work.give_back(session, request, who=other.username, note="نه")
    work.reply(session, request, who=one.username, reply=REPLY)
    assert request.state is S.REPLIED


def test_closed_request_is_confirmed_or_marked_unanswered(
    session: Session,
) -> None:
    confirmed, silent = (a_request(session) for _ in range(2))
    for request in (confirmed, silent):
        work.reply(session, request, who="u", reply=REPLY)
    silent.replied_at = now(session) - timedelta(days=8)
    session.flush()
    closing.answer(session, confirmed.id, solved=True)
    assert closing.close_unanswered(session, days=7, limit=10) == 1
    ends = {
        each.id: (each.state, each.unanswered, lifecycle.list_steps(session, each)[-1].step)
        for each in (confirmed, silent)
    }
    assert ends == {confirmed.id: (S.CLOSED, False, T.CONFIRMED), silent.id: (S.CLOSED, True, T.UNANSWERED)}
    with pytest.raises(IntegrityError):
        a_request(session, unanswered=True)  # of what is not closed, nobody says so
    session.rollback()


def test_answer_beside_the_expiry_closes_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        request = a_request(session, S.REPLIED, replied_at=now(session) - timedelta(days=8))

    def close(which: int) -> str:
        try:
            with writing(engine) as session:
                if which:
                    return f"time {closing.close_unanswered(session, days=7, limit=10)}"
                closing.answer(session, request.id, solved=True)
                return "citizen"
        except Refused as refused:
            return refused.code

    said = at_once(2, close)
    with reading(engine) as session:
        kept = session.get_one(Request, request.id)
        steps = [entry.step for entry in lifecycle.list_steps(session, kept)]
    by_time = said == ["wrong-state", "time 1"]
    assert by_time or said == ["citizen", "time 0"]
    assert (kept.state, kept.unanswered) == (S.CLOSED, by_time)
    assert steps == [T.UNANSWERED if by_time else T.CONFIRMED]
