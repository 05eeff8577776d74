"""Requests that tell of one and the same thing."""

import pytest
from sqlalchemy.orm import Session

from db.models import OutboxKind
from hotline.errors import Refused
from hotline.requests import closing, duplicates, work
from tests.factories import a_request
from tests.hotline.requests.office import DAY, S, messages


def test_chain_of_duplicates_points_to_the_first(
    session: Session,
) -> None:
    first, second, third, fourth = (a_request(session) for _ in range(4))
    closing.merge(session, third.id, second.id, who="u")
    closing.merge(session, second.id, first.id, who="u")
    assert closing.merge(session, fourth.id, third.id, who="u").id == first.id
    for each in (second, third, fourth):
        session.refresh(each)
        assert (each.state, each.duplicate_of_id) == (S.DUPLICATE, first.id)
    with pytest.raises(Refused, match="duplicate-itself"):
        closing.merge(session, first.id, fourth.id, who="u")
    with pytest.raises(Refused, match="duplicate-itself"):
        closing.merge(session, first.id, first.id, who="u")


def test_closed_original_tells_each_citizen_once(
    session: Session,
) -> None:
    first = a_request(session, number="+989131110001")
    same, other, line = (
        a_request(session, number=n) for n in ("+989131110001", "+989131110002", "+983132212345")
    )
    for duplicate in (same, other, line):
        closing.merge(session, duplicate.id, first.id, who="u")
    work.reply(session, first, who="u", reply="ترمیم شد")
    closing.answer(session, first.id, solved=True)
    assert messages(session, OutboxKind.REQUEST_CLOSED) == ["+989131110002"]
    late = a_request(session, number="+989131110003")
    closing.merge(session, late.id, first.id, who="u")
    assert messages(session, OutboxKind.REQUEST_CLOSED) == ["+989131110002", "+989131110003"]


def test_probable_duplicates_list_the_same_number_first(
    session: Session,
) -> None:
    place = {"category": 1, "district": 3}
    mine = a_request(session, written="چالهٔ بزرگ در خیابان حکیم نظامی", number="+989131110001", **place)
    near = a_request(session, written="خیابان حکیم نظامی چالهٔ بزرگ دارد", **place)
    own = a_request(session, written="آسفالت کوچه خراب است", number="+989131110001", **place)
    spoken = a_request(session, voice_message="m.wav", **place)
    a_request(session, written="برگ درختان", **place)
    a_request(session, written=mine.written, category=1, district=4)
    a_request(session, written=mine.written, category=2, district=3)
    old = a_request(session, written=mine.written, **place)
    old.made_at -= 15 * DAY
    a_request(session, S.REJECTED, written=mine.written, **place)
    session.flush()
    found = duplicates.list_probable(session, mine)
    assert [(one.request.id, one.same_number) for one in found] == [
        *((own.id, True), (near.id, False), (spoken.id, False)),
    ]
    assert found[1].likeness >= 0.5
