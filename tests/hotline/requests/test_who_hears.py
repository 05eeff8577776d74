"""Which departments hear of a request's change: the one that sees it from then on, and that it has left."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from db.models import Event, Request
from hotline.requests import closing, department_work, parts, work
from tests.factories import a_department, a_request, newest_event, told
from tests.hotline.requests.office import refer, today
from tests.kit.databases import on_both  # noqa: F401  (fixture)

Act = Callable[[Session, Request], object]
ACTS: dict[str, tuple[Act, bool, bool]] = {
    "accepted": (lambda s, r: department_work.accept(s, r, who="d"), True, False),
    "news": (lambda s, r: work.tell(s, r, who="d", reply="فردا"), True, False),
    "solved": (lambda s, r: work.reply(s, r, who="d", reply="شد"), True, False),
    "given back": (lambda s, r: work.give_back(s, r, who="d", note="نه"), False, True),
    "rejected": (lambda s, r: closing.reject(s, r, who="o", reason="نه"), False, True),
    "merged": (lambda s, r: closing.merge(s, r.id, a_request(s).id, who="o"), False, True),
}
"""An act, whether the department sees the request then, and whether the request has left it."""


def heard(session: Session, request: Request, after: int) -> list[tuple[int | None, int | None]]:
    mine: list[Event] = [each for each in told(session, after) if each.request_id == request.id]
    return [(each.department_id, each.left_id) for each in mine]


@pytest.mark.parametrize("act", ACTS)
def test_change_of_a_request_is_sent_to_its_department_alone(session: Session, act: str) -> None:
    do, sees, left = ACTS[act]
    request = a_request(session, number="+989131112233")
    department = refer(session, request).id
    before = newest_event(session)
    do(session, request)
    assert heard(session, request, before) == [(department if sees else None, department if left else None)]


def test_referral_to_another_department_tells_both_once(
    session: Session,
) -> None:
    request = a_request(session)
    first = refer(session, request).id
    before = newest_event(session)
    second = a_department(session)
    work.refer(session, request, second, due_on=today(session), who="o")
    department_work.accept(session, request, who="d")
    assert heard(session, request, before) == [(second.id, first), (second.id, None)]


def test_objection_at_the_office_tells_the_department_it_left(
    session: Session,
) -> None:
    request = a_request(session)
    department = refer(session, request).id
    work.reply(session, request, who="d", reply="شد")
    before = newest_event(session)
    closing.answer(session, request.id, solved=False)
    closing.reject(session, request, who="o", reason="نه")
    assert heard(session, request, before) == [(None, department), (None, None)]


def test_kept_part_of_a_split_tells_its_department(
    session: Session,
) -> None:
    request = a_request(session)
    department = refer(session, request).id
    before = newest_event(session)
    pieces = [parts.Piece(1, "چاله"), parts.Piece(1, "چراغ")]
    ours, rest = work.split(session, request, pieces, who="d", keeps_first=True)
    assert heard(session, request, before) == [(None, department)]
    assert heard(session, ours, before) == [(department, None)]
    assert heard(session, rest, before) == [(None, None)]
