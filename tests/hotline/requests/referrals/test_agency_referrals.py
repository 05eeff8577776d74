"""A request goes on to a body outside the city: who makes links, when they open, what a body says."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import AgencyReferral, AuditEntry, Erasure, Picture, Request, User
from hotline.citizens import erasure
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.pictures.decoding import Plain
from hotline.requests import closing, department_inbox, department_work, parts, work
from hotline.requests.department_inbox import By
from hotline.requests.referrals import agency_referrals, agency_replies
from hotline.requests.referrals.agency_referrals import Passing, PassState
from tests.factories import a_request, a_user, at_once, of_department
from tests.hotline.ledger.tampering import problems
from tests.hotline.requests.office import S, T, steps
from tests.kit.refusal import refusal

WATER = Passing("آب و فاضلاب", "water@example.org", "لوله از آن‌هاست", "لولهٔ آب ترکیده است")
DRAWN = Plain(b"jpeg", 4, 3)
PUBLIC_TOKEN = "A" * 43


@pytest.fixture
def clerk(session: Session) -> User:
    return of_department(session)


@pytest.fixture
def request_(session: Session, clerk: User) -> Request:
    return a_request(session, S.REFERRED, department_id=clerk.department_id, number="+989131112233")


def link(session: Session, request: Request, user: User, **other: str) -> str:
    _, token = agency_referrals.make(session, request, WATER._replace(**other), user=user, days=14)
    return token


def _a_minute_goes_by(session: Session) -> None:
    session.execute(update(AgencyReferral).values(made_at=now(session) - timedelta(minutes=1)))


def state(session: Session, request: Request) -> PassState:
    return agency_referrals.list_by_request(session, request)[0].state


def over(session: Session, token: str) -> bool:
    try:
        agency_replies.show_page(session, token)
    except Refused as refused:
        assert refused.code == "link-over"
        return True
    return False


def test_answer_of_an_agency_stands_in_the_history(session: Session, clerk: User, request_: Request) -> None:
    due_at = request_.due_at
    token = link(session, request_, clerk)
    kept = session.scalars(select(AgencyReferral)).one()
    assert token not in (kept.token_hash, kept.written) and len(token) == 43
    assert state(session, request_) is PassState.WAITING
    seen = agency_replies.show_page(session, token)
    assert (seen.link.written, seen.due_at, seen.district) == (WATER.written, due_at, 1)
    agency_replies.record_opened(session, token)
    assert state(session, request_) is PassState.SEEN
    for _ in range(2):  # two clicks
        agency_replies.record_received(session, token)
        agency_replies.record_answer(session, token, " فردا می‌آییم ")
    assert state(session, request_) is PassState.ANSWERED
    link_id = agency_replies.record_done(session, token, "بسته شد")
    assert link_id == kept.id and agency_replies.record_done(session, token, "بسته شد") is None
    assert refusal(lambda: agency_replies.record_done(session, token, "باز شد")) == "body-done"
    agency_replies.record_answer(session, token, "آسفالت با شما")
    assert state(session, request_) is PassState.DONE
    assert steps(session, request_) == [
        (T.PASSED, clerk.username, "آب و فاضلاب: لوله از آن‌هاست"),
        (T.BODY_RECEIVED, "", "آب و فاضلاب"),
        (T.BODY_ANSWERED, "", "آب و فاضلاب: فردا می‌آییم"),
        (T.BODY_DONE, "", "آب و فاضلاب: بسته شد"),
        (T.BODY_ANSWERED, "", "آب و فاضلاب: آسفالت با شما"),
    ]
    assert (request_.state, request_.due_at) == (S.REFERRED, due_at)
    told = department_inbox.list_steps(session, request_)
    assert [(each.by, each.note) for each in told[1:3]] == [
        (By.BODY, "آب و فاضلاب"),
        (By.BODY, "آب و فاضلاب: فردا می‌آییم"),
    ]
    assert session.scalars(select(AuditEntry.action)).all() == ["request-passed"]


def test_answer_of_an_agency_is_sealed_in_the_ledger(engine: Engine) -> None:
    with writing(engine) as session:
        request = a_request(session)
        agency_replies.record_answer(session, link(session, request, a_user(session)), "فردا می‌آییم")
    assert problems(engine) == []


@pytest.mark.parametrize("end", ["withdrawn", "expired", "solved", "merged", "rejected", "split", "erased"])
def test_link_of_a_finished_request_opens_nothing(
    session: Session, clerk: User, request_: Request, end: str
) -> None:
    token = link(session, request_, clerk)
    assert not over(session, token)
    row = session.scalars(select(AgencyReferral)).one()
    if end == "withdrawn":
        for _ in range(2):
            agency_referrals.withdraw(session, request_, row.id, user=clerk)
        assert [step for step, *_ in steps(session, request_)] == [T.PASSED, T.RECALLED]
    elif end == "expired":
        row.expires_at = now(session)
    elif end == "solved":
        work.reply(session, request_, who="u", reply="درست شد")
    elif end == "merged":
        closing.merge(session, request_.id, a_request(session).id, who="u")
    elif end == "rejected":
        closing.reject(session, request_, who="u", reason="نه")
    elif end == "split":
        work.split(session, request_, [parts.Piece(1, "الف"), parts.Piece(1, "ب")], who="u")
    else:
        erasure.delete_citizen(session, "+989131112233", who="u", give_up=True)
        assert (row.written, row.contact) == ("", "")
    session.flush()
    acts = (agency_replies.show_page, agency_replies.record_opened, agency_replies.record_received)
    said = "link-merged" if end == "merged" else "link-over"
    assert [refusal(lambda act=act: act(session, token)) for act in acts] == [said] * 3
    assert refusal(lambda: agency_replies.record_answer(session, token, "x")) == said
    assert refusal(lambda: agency_replies.record_done(session, token, "x")) == said


@pytest.mark.parametrize("token", ["", "A", PUBLIC_TOKEN, "../" * 20, "آ" * 43, "A" * 44, "%00" * 14 + "A"])
def test_unknown_token_looks_like_an_expired_one(session: Session, token: str) -> None:
    assert over(session, token)


def test_new_link_for_an_agency_ends_the_old(session: Session, clerk: User, request_: Request) -> None:
    old = link(session, request_, clerk)
    again = {"body": " آب  و فاضلاب "}
    assert refusal(lambda: link(session, request_, clerk, **again)) == "just-passed", "a button pressed twice"
    assert not over(session, old)
    _a_minute_goes_by(session)
    new = link(session, request_, clerk, **again)
    assert over(session, old) and not over(session, new)
    for number in range(agency_referrals.MOST - 1):
        link(session, request_, clerk, body=f"برق {number}")
    assert refusal(lambda: link(session, request_, clerk, body="گاز")) == "too-many-links"
    newest = agency_referrals.list_by_request(session, request_)[0].row.id
    agency_referrals.withdraw(session, request_, newest, user=clerk)
    link(session, request_, clerk, body="گاز")


def test_links_are_limited_per_department(session: Session, clerk: User, request_: Request) -> None:
    other, office = of_department(session), a_user(session)
    for number in range(agency_referrals.MOST):
        for user in (other, office):
            link(session, request_, user, body=f"برق {user.username} {number}")
    assert not over(session, link(session, request_, clerk))
    for user in (other, office):
        assert refusal(lambda user=user: link(session, request_, user, body="گاز")) == "too-many-links"


def test_second_link_to_an_agency_keeps_those_of_others(
    session: Session, clerk: User, request_: Request
) -> None:
    office = a_user(session)
    old = link(session, request_, office)
    assert refusal(lambda: link(session, request_, clerk)) == "body-has-link"
    assert not over(session, old)
    _a_minute_goes_by(session)
    link(session, request_, office)
    assert over(session, old), "the office's own new one"


def test_link_survives_the_return_of_the_request(session: Session, clerk: User, request_: Request) -> None:
    token = link(session, request_, clerk)
    work.give_back(session, request_, who=clerk.username, note="آن سوی شهر")
    (seen,) = agency_referrals.list_by_request(session, request_, of_department(session).department_id)
    assert seen.row.body == WATER.body
    assert not over(session, token)


def test_department_sees_and_ends_its_own_links(session: Session, clerk: User, request_: Request) -> None:
    link(session, request_, of_department(session), body="برق")
    link(session, request_, a_user(session), body="گاز")
    link(session, request_, clerk)
    seen = agency_referrals.list_by_request(session, request_, clerk.department_id)
    assert [each.row.body for each in seen] == ["آب و فاضلاب", "گاز"]
    offices = seen[1].row.id
    assert refusal(lambda: agency_referrals.withdraw(session, request_, offices, user=clerk)) == "not-found"
    office = a_user(session)
    assert len(agency_referrals.list_by_request(session, request_)) == 3
    agency_referrals.withdraw(session, request_, seen[0].row.id, user=office)
    other = a_request(session)
    assert refusal(lambda: agency_referrals.withdraw(session, other, offices, user=office)) == "not-found"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"written": "با ۰۹۱۳ ۱۱۱ ۲۲۳۳ تماس بگیرید"}, "text-personal"),
        ({"written": "+98 (31) 3000-0000"}, "text-personal"),
        ({"written": "0913.111.2233"}, "text-personal"),
        ({"written": "۰۹۱۳\u200c۱۱۱\u2013۲۲۳۳"}, "text-personal"),
        ({"why": "مالک ۰۹۱۳ ۱۱۱ ۲۲۳۳ گفت"}, "text-personal"),
        ({"body": "علی ۰۹۱۳۱۱۱۲۲۳۳"}, "text-personal"),
        ({"written": " \n"}, "text-missing"),
        ({"body": " "}, "text-missing"),
        ({"why": " "}, "text-missing"),
    ],
)
def test_unfit_link_is_refused(
    session: Session, clerk: User, request_: Request, wrong: dict[str, str], code: str
) -> None:
    assert refusal(lambda: link(session, request_, clerk, **wrong)) == code
    assert not over(session, link(session, request_, clerk, written="از ۱۴۰۵/۰۵/۱۲، کوچهٔ ۱۲، پلاک ۳۴۵"))


@pytest.mark.parametrize("in_", [S.REPLIED, S.CLOSED, S.DUPLICATE, S.REJECTED, S.SPLIT])
def test_request_without_a_holder_cannot_be_linked(session: Session, in_: S) -> None:
    request = a_request(session, in_)
    assert refusal(lambda: link(session, request, a_user(session))) == "wrong-state"


def test_picture_of_an_agency_becomes_evidence_when_solved(
    session: Session, clerk: User, request_: Request
) -> None:
    token = link(session, request_, clerk)
    link_id = agency_replies.record_done(session, token, "بسته شد")
    assert link_id
    shown = attachments.add_of_body(session, "a" * 32, DRAWN, link_id)
    shown.made_at -= timedelta(days=3)
    assert attachments.drop_nobodys(session, 9) == 0, "it waits longer than a day"
    assert attachments.list_by_request(session, request_.id) == []
    assert [each.id for each in agency_referrals.list_by_request(session, request_)[0].pictures] == [shown.id]
    stranger = of_department(session)
    other = a_request(session, S.REFERRED, department_id=stranger.department_id)
    with pytest.raises(Refused, match="picture-unknown"):
        department_work.answer(session, other, user=stranger, reply="ما", solved=True, shown=[shown.id])
    department_work.answer(session, request_, user=clerk, reply="بسته شد", solved=True, shown=[shown.id])
    assert [each.id for each in attachments.list_by_request(session, request_.id)] == [shown.id]


def test_unused_picture_of_an_agency_is_deleted_later(
    session: Session, clerk: User, request_: Request
) -> None:
    link_id = agency_replies.record_done(session, link(session, request_, clerk), "بسته شد")
    assert link_id
    shown = attachments.add_of_body(session, "b" * 32, DRAWN, link_id)
    shown.made_at -= timedelta(days=99)
    assert attachments.forget(session, 90, 9) == 0
    closing.reject(session, request_, who="u", reason="نه")
    assert attachments.forget(session, 90, 9) == 1
    assert [e.file for e in session.scalars(select(Erasure))] == [f"pictures/{'b' * 32}.jpg"]
    assert session.get_one(Picture, "b" * 32).deleted_at


def test_link_after_the_deletion_shows_its_makers_words_alone(session: Session, clerk: User) -> None:
    number = "+989131112244"
    request = a_request(
        *(session, S.REFERRED),
        **{"department_id": clerk.department_id, "number": number, "latitude": 32.6, "longitude": 51.6},
        place="تلفن ۰۹۱۳ ۱۱۱ ۲۲۴۴، کوچهٔ ۵",
    )
    given = attachments.add(session, "c" * 32, DRAWN, number=number)
    attachments.give(session, [given], request.id, given.kind)
    token = link(session, request, clerk)
    seen = agency_replies.show_page(session, token)
    assert (seen.place, seen.point) == ("تلفن …، کوچهٔ ۵", (32.6, 51.6))
    assert [each.id for each in seen.pictures] == [given.id]
    assert agency_replies.get_picture(session, token, given.id).name == given.id
    erasure.delete_citizen(session, number, who="u", give_up=True)
    token = link(session, request, clerk)
    seen = agency_replies.show_page(session, token)
    assert (seen.link.written, seen.place, seen.point, seen.pictures) == (WATER.written, "", None, [])
    assert refusal(lambda: agency_replies.get_picture(session, token, given.id)) == "link-over"


def test_link_of_a_part_shows_pictures_of_the_whole(session: Session, clerk: User) -> None:
    whole = a_request(session, number="+989131112255")
    given = attachments.add(session, "d" * 32, DRAWN, number="+989131112255")
    attachments.give(session, [given], whole.id, given.kind)
    ours, _ = work.split(session, whole, [parts.Piece(1, "لوله"), parts.Piece(2, "چراغ")], who="u")
    token = link(session, ours, clerk)
    assert [each.id for each in agency_replies.show_page(session, token).pictures] == [given.id]
    assert over(session, token) is False
    erasure.delete_citizen(session, "+989131112255", who="u", give_up=True)
    assert over(session, token)


def test_endless_answers_of_an_agency_are_limited(session: Session, clerk: User, request_: Request) -> None:
    token = link(session, request_, clerk)
    for number in range(agency_replies.MOST_ANSWERS):
        agency_replies.record_answer(session, token, f"{number}")
    assert refusal(lambda: agency_replies.record_answer(session, token, "باز")) == "too-many-answers"
    assert refusal(lambda: agency_replies.record_done(session, token, " ")) == "text-missing"
    assert refusal(lambda: agency_replies.record_done(session, token, "آ" * 1001)) == "text-long"
    assert (
        refusal(lambda: agency_replies.record_done(session, token, "مالک: ۰۹۱۳ ۱۱۱ ۲۲۳۳")) == "text-personal"
    )


def test_answer_of_an_agency_goes_with_the_deleted_citizen(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        request = a_request(session, number="+989131112266")
        token = link(session, request, a_user(session))
        agency_replies.record_answer(session, token, "آقای مالک گفت فردا")
        agency_replies.record_done(session, token, "با آقای مالک بسته شد")
        id_ = request.id
    with writing(engine) as session:
        erasure.delete_citizen(session, "+989131112266", who="u", give_up=True)
        assert session.scalars(select(AgencyReferral.done)).one(), "it is still to be mended"
        closing.reject(session, work.get_for_update(session, id_), who="u", reason="نه")
        erasure.erase_words(session)
    with reading(engine) as session:
        row = session.scalars(select(AgencyReferral)).one()
        assert (row.answer, row.done, row.done_at is None) == ("", "", False)
        assert not any("مالک" in note for _, _, note in steps(session, session.get_one(Request, id_)))
    assert problems(engine) == []


def test_simultaneous_completions_count_once(engine: Engine) -> None:
    with writing(engine) as session:
        request = a_request(session)
        token = link(session, request, a_user(session))

    def says(_number: int) -> int | None:
        with writing(engine) as session:
            return agency_replies.record_done(session, token, "بسته شد")

    assert sorted(at_once(4, says), key=str) == [1, None, None, None]
    with reading(engine) as session:
        assert [s for s, *_ in steps(session, session.scalars(select(Request)).one())] == [
            T.PASSED,
            T.BODY_DONE,
        ]
