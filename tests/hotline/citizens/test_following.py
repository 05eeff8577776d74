"""A citizen follows somebody else's request."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import BlockReason, OutboxMessage, Request
from db.states import RequestState
from hotline.citizens import account_contents, erasure, following
from hotline.errors import Blocked, Refused
from hotline.line import blocked
from hotline.requests import closing, work
from scheduler import wording
from tests import factories as make
from tests.factories import a_number, a_request

S = RequestState


def told(session: Session) -> list[tuple[str, str]]:
    """Return the followers who are told, each with the message."""
    session.flush()
    rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
    return [(each.to, each.kind.value) for each in rows if each.kind.value.startswith("followed")]


def follow(session: Session, request: Request, number: str = "", language: str = "fa") -> str:
    number = number or a_number()
    following.follow(session, number, request.tracking, language)
    return number


def test_solution_and_confirmation_are_told_to_followers(
    session: Session,
) -> None:
    request = a_request(session)
    number = follow(session, request, language="en")
    follow(session, request, "+983132212345")
    work.reply(session, request, who="u", reply="ترمیم شد")
    closing.answer(session, request.id, solved=False, note="نه")
    assert told(session) == [(number, "followed_replied")], "an objection is the owner's own"
    work.reply(session, request, who="v", reply="ترمیم شد")
    message = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
    assert message is not None
    said = wording.find_words(session, message)
    assert said is not None and said.to == number
    assert said.text.startswith(f"The report {request.tracking} that you follow"), said
    closing.answer(session, request.id, solved=True)
    assert told(session)[-1] == (number, "followed_closed")
    assert wording.find_words(session, message) is None, "it is closed by now: that is told instead"


def test_rejection_or_expiry_is_told_to_followers(session: Session) -> None:
    rejected, silent = a_request(session), a_request(session)
    one, other = follow(session, rejected), follow(session, silent)
    closing.reject(session, rejected, who="u", reason="مربوط به آب و فاضلاب است")
    work.reply(session, silent, who="u", reply="ترمیم شد")
    assert silent.replied_at is not None
    silent.replied_at -= make.HOUR * 24 * 8
    session.flush()
    assert closing.close_unanswered(session, 7, 10) == 1
    assert told(session) == [
        (one, "followed_rejected"),
        (other, "followed_replied"),
        (other, "followed_closed"),
    ]


def test_followers_of_a_duplicate_follow_the_first_once(
    session: Session,
) -> None:
    first, second = a_request(session), a_request(session)
    assert first.number and second.number
    both, one = a_number(), a_number()
    for request in (first, second):
        follow(session, request, both)
    follow(session, second, one)
    follow(session, second, first.number)
    closing.merge(session, second.id, first.id, who="u")
    for number in (both, one):
        assert [each.request.id for each in following.list_followed(session, number)] == [first.id]
        assert following.find_followed_among(session, number, [first.id, second.id]) == {first.id}
    assert following.list_followed(session, first.number) == []
    late = a_number()
    assert following.follow(session, late, second.tracking, "fa").request.id == first.id
    with pytest.raises(Refused, match="follow-own"):
        following.follow(session, first.number, second.tracking, "fa")
    work.reply(session, first, who="u", reply="ترمیم شد")
    assert [to for to, _ in told(session)] == [both, one, late]


def test_followers_of_a_separated_duplicate_hear_of_their_own(
    session: Session,
) -> None:
    first, second = a_request(session), a_request(session)
    of_first, of_second, both = follow(session, first), follow(session, second), follow(session, first)
    follow(session, second, both)
    closing.merge(session, second.id, first.id, who="u")
    closing.undo_merge(session, second, who="u")
    assert [each.request.id for each in following.list_followed(session, of_second)] == [second.id]
    work.reply(session, first, who="u", reply="ترمیم شد")
    assert [to for to, _ in told(session)] == [of_first, both]
    work.reply(session, second, who="u", reply="ترمیم شد")
    assert [to for to, _ in told(session)][2:] == [of_second, both]


def test_follower_leaving_a_duplicate_hears_of_neither(
    session: Session,
) -> None:
    first, second = a_request(session), a_request(session)
    number = follow(session, first)
    follow(session, second, number)
    closing.merge(session, second.id, first.id, who="u")
    following.leave(session, number, second.tracking)
    work.reply(session, first, who="u", reply="ترمیم شد")
    assert told(session) == [] and following.list_followed(session, number) == []


def test_reporter_of_a_duplicate_who_follows_is_told_once(
    session: Session,
) -> None:
    first, second = a_request(session), a_request(session)
    assert second.number
    follow(session, first, second.number)
    closing.merge(session, second.id, first.id, who="u")
    work.reply(session, first, who="u", reply="ترمیم شد")
    closing.answer(session, first.id, solved=True)
    assert told(session) == []


def test_follower_who_leaves_gets_no_pending_message(
    session: Session,
) -> None:
    request = a_request(session)
    number, other = follow(session, request), follow(session, request)
    work.reply(session, request, who="u", reply="ترمیم شد")
    for _ in range(2):
        following.leave(session, number, request.tracking)
    assert told(session) == [(other, "followed_replied")]
    assert following.list_followed(session, number) == []


def test_unfollowable_request_is_refused(session: Session) -> None:
    mine = a_request(session)
    assert mine.number
    with pytest.raises(Refused, match="follow-own"):
        following.follow(session, mine.number, mine.tracking, "fa")
    with pytest.raises(Refused, match="not-found"):
        following.follow(session, a_number(), "000000000", "fa")
    for state in (S.CLOSED, S.REJECTED):
        with pytest.raises(Refused, match="wrong-state"):
            following.follow(session, a_number(), a_request(session, state).tracking, "fa")
    number = a_number()
    blocked.block(session, number, reason=BlockReason.NUISANCE, who="u")
    with pytest.raises(Blocked):
        following.follow(session, number, mine.tracking, "fa")


def test_follow_above_the_limit_is_refused_until_one_ends(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST", 2)
    first, second, third = (a_request(session) for _ in range(3))
    number = follow(session, first)
    follow(session, second, number)
    follow(session, second, number)
    with pytest.raises(Refused, match="too-many-follows"):
        following.follow(session, number, third.tracking, "fa")
    closing.reject(session, first, who="u", reason="مربوط به آب و فاضلاب است")
    follow(session, third, number)
    assert [each.request.id for each in following.list_followed(session, number)] == [
        third.id,
        second.id,
        first.id,
    ]


def test_simultaneous_follows_count_once(engine: Engine) -> None:
    with writing(engine) as session:
        request, number = a_request(session), a_number()
        tracking = request.tracking

    def one(_: int) -> None:
        with writing(engine) as session:
            following.follow(session, number, tracking, "fa")

    make.at_once(4, one)
    with writing(engine) as session:
        assert len(following.list_followed(session, number)) == 1


def test_follows_of_a_citizen_are_exported_and_deleted(
    session: Session,
) -> None:
    request = a_request(session)
    number = follow(session, request)
    exported = account_contents.export(session, number, who="citizen")
    assert [each["tracking"] for each in exported["follows"]] == [request.tracking]
    erasure.delete_citizen(session, number, who="citizen", give_up=True)
    assert following.list_followed(session, number) == []
    work.reply(session, request, who="u", reply="ترمیم شد")
    assert told(session) == []
