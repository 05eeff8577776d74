"""Requests that programs bring by their keys: one key and content make one request without an owner."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Category, OutboxMessage, Request
from db.states import RequestState
from hotline.citizens import account_contents, erasure
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.requests import lifecycle, work
from hotline.requests.open311 import queries, submissions
from hotline.requests.open311.queries import Looker, Wanted
from hotline.requests.open311.submissions import Brought
from hotline.requests.places import Point
from settings import Settings
from tests import factories as make
from tests.kit.databases import on_both
from tests.kit.refusal import refusal

__all__ = ["on_both"]

NUMBER = "+989130137137"
HERE = Point(32.65432, 51.66789)
REPORT = Brought(
    service="lighting", text="چراغ خاموش است", answers=(), point=HERE, place="", phone="", language="fa"
)


def a_key(session: Session) -> int:
    return api_keys.issue(session, name="An app", may=[*Scope], per_minute=60, who="admin")[0].id


def test_repeated_request_of_a_program_is_filed_once(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        key = a_key(session)

    def file(idempotency_key: str | None) -> tuple[int, bool]:
        with writing(engine) as session:
            request, new = submissions.file(session, key, idempotency_key, REPORT, settings)
            return request.id, new

    told = make.at_once(8, lambda _: file("key-00001"))
    assert len({id_ for id_, _ in told}) == 1 and sum(new for _, new in told) == 1
    assert len({id_ for id_, _ in make.at_once(8, lambda _: file(None))}) == 1
    assert file("key-00002")[1], "another key is another request"
    with reading(engine) as session:
        assert len(session.scalars(select(Request)).all()) == 2


def test_equal_request_later_or_by_another_program_is_new(session: Session, settings: Settings) -> None:
    one, other = a_key(session), a_key(session)
    first, _ = submissions.file(session, one, None, REPORT, settings)
    assert submissions.file(session, one, None, REPORT, settings) == (first, False)
    assert submissions.file(session, other, None, REPORT, settings)[1]
    assert submissions.file(session, one, None, replace(REPORT, place="there"), settings)[1]
    session.execute(update(Request).values(made_at=now(session) - timedelta(seconds=61)))
    assert submissions.file(session, one, None, REPORT, settings)[1]


def test_idempotency_key_with_other_content_is_refused(session: Session, settings: Settings) -> None:
    key = a_key(session)
    request, _ = submissions.file(session, key, "key-00001", REPORT, settings)
    changed = replace(REPORT, text="something else")
    assert refusal(submissions.file, session, key, "key-00001", changed, settings) == "key-reused"
    assert submissions.get_by_token(session, key, "key-00001") is request
    assert refusal(submissions.get_by_token, session, a_key(session), "key-00001") == "not-found"


def test_number_named_by_a_program_owns_no_request(session: Session, settings: Settings) -> None:
    request, _ = submissions.file(
        session, a_key(session), None, replace(REPORT, phone="0913 013 7137"), settings
    )
    assert (request.number, request.contact) == (None, NUMBER)
    assert account_contents.list_requests(session, NUMBER) == []
    assert lifecycle.find_progress_for_caller(session, NUMBER) is None
    work.reply(session, request, who="a", reply="solved")
    assert session.scalars(select(OutboxMessage)).all() == []


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("۰۹۱۳۰۱۳۷۱۳۷", NUMBER),
        ("111111111", "111111111"),
        ("+12025550123", "+12025550123"),
        (" a\u202e \n b " + "x" * 99, ("a b " + "x" * 99)[:40]),
        ("", ""),
    ],
)
def test_contact_becomes_a_number_or_short_words(phone: str, kept: str) -> None:
    assert submissions.normalize_contact(phone, ("+989", "+9831")) == kept


def test_equal_request_after_a_leap_is_new(session: Session, settings: Settings) -> None:
    one = a_key(session)
    submissions.file(session, one, None, REPORT, settings)
    session.execute(update(Request).values(made_at=now(session) + timedelta(hours=3)))
    assert submissions.file(session, one, None, REPORT, settings)[1]


def test_requests_of_a_leap_do_not_count(session: Session, settings: Settings) -> None:
    few = settings.model_copy(update={"reports_per_day": 1})
    one, named = a_key(session), [replace(REPORT, phone=NUMBER, text=text) for text in "abc"]
    first, _ = submissions.file(session, one, None, named[0], few)
    first.made_at += timedelta(days=730)
    session.flush()
    submissions.file(session, one, None, named[1], few)
    assert refusal(submissions.file, session, one, None, named[2], few) == "too-many-reports"


def test_requests_naming_a_number_have_a_daily_limit(session: Session, settings: Settings) -> None:
    few = settings.model_copy(update={"reports_per_day": 2})
    one, other = a_key(session), a_key(session)
    named = [replace(REPORT, phone=NUMBER, text=text) for text in "abc"]
    submissions.file(session, one, None, named[0], few)
    submissions.file(session, other, None, named[1], few)
    assert refusal(submissions.file, session, one, None, named[2], few) == "too-many-reports"
    assert submissions.file(session, one, None, named[0], few)[1] is False, "the same is no other one"
    submissions.file(session, one, None, replace(named[2], phone="111"), few)


def test_deleted_citizen_disappears_from_program_requests(session: Session, settings: Settings) -> None:
    request, _ = submissions.file(
        session, a_key(session), "key-00001", replace(REPORT, phone=NUMBER), settings
    )
    (named,) = account_contents.export(session, NUMBER, who="citizen")["named_as_contact"]
    assert (named["tracking"], "written" in named) == (request.tracking, False)
    erasure.delete_citizen(session, NUMBER, who="citizen", give_up=True)
    session.refresh(request)
    assert (request.contact, request.report_key, request.report_hash) == ("", None, None)
    assert request.written == REPORT.text, "who reported it is not known"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"service": "nothing"}, "service-unknown"),
        ({"service": ""}, "service-unknown"),
        ({"point": None}, "place-missing"),
        ({"point": Point(0, 0)}, "place-outside"),
        ({"place": "x" * 301}, "place-long"),
        ({"text": "x" * 4001}, "text-long"),
        ({"answers": ("one",)}, "answers-unasked"),
    ],
)
def test_invalid_request_is_refused(
    session: Session, settings: Settings, values: dict[str, object], code: str
) -> None:
    wrong = replace(REPORT, **values)  # type: ignore[arg-type]
    assert refusal(submissions.file, session, a_key(session), None, wrong, settings) == code
    assert session.scalars(select(Request)).all() == []


def test_words_and_answers_are_kept_up_to_the_limit(session: Session, settings: Settings) -> None:
    key, category = a_key(session), session.get_one(Category, 2)
    category.questions = [{"fa": "کدام تیر؟", "en": "Which pole?"}]
    session.flush()
    silent, _ = submissions.file(session, key, None, replace(REPORT, text=" ", language="en"), settings)
    assert silent.written == category.name_en
    long = replace(REPORT, text="آ" * 4000, answers=("x" * 200,))
    assert submissions.file(session, key, None, long, settings)[0].written.endswith(f"کدام تیر؟\n{'x' * 200}")
    too_long = replace(long, answers=("x" * 201,))
    assert refusal(submissions.file, session, key, None, too_long, settings) == "answers-long"


# Looked up


def test_api_key_reads_its_own_requests_or_all_roughly(session: Session, settings: Settings) -> None:
    one, other = a_key(session), a_key(session)
    mine, _ = submissions.file(session, one, None, REPORT, settings)
    theirs, _ = submissions.file(session, other, None, REPORT, settings)
    session.flush()

    def seen(looker: Looker) -> list[int]:
        return [each.request.id for each in queries.list_page(session, Wanted(), looker)]

    assert seen(Looker(one)) == [mine.id]
    assert seen(Looker(one, may_read=True)) == [theirs.id, mine.id]
    assert Looker(one).point(mine, None) == (HERE.latitude, HERE.longitude)
    assert Looker(one).point(theirs, None) == Looker().point(theirs, None) == (None, None)
    assert Looker(one, may_read=True).point(theirs, None) == (32.654, 51.668)
    assert [each.request for each in queries.find_by_numbers(session, [theirs.tracking])] == [theirs]


def test_span_is_listed_page_by_page(session: Session) -> None:
    at, looker = now(session), Looker(None, may_read=True)
    old = make.a_request(session, made_at=at - timedelta(days=91))
    found = [make.a_request(session, made_at=at - timedelta(days=day)) for day in (3, 2, 1)]
    make.a_request(session, RequestState.CLOSED, made_at=at - timedelta(hours=1))

    def seen(**wanted: object) -> list[Request]:
        return [each.request for each in queries.list_page(session, Wanted(**wanted), looker)]  # type: ignore[arg-type]

    assert seen(open_=True) == found[::-1]
    assert len(seen(open_=False)) == 1 and len(seen()) == 4
    assert seen(open_=True, page=2, page_size=2) == [found[0]]
    assert seen(page=9) == []
    assert seen(until=at - timedelta(days=90)) == [old]
    assert seen(since=at - timedelta(days=4), until=at - timedelta(days=2, hours=12)) == [found[0]]
    assert seen(since=at - timedelta(days=97)) == [old]
    assert seen(services=["nothing"]) == []
    for wrong in (
        Wanted(since=at, until=at - timedelta(days=1)),
        Wanted(since=at - timedelta(days=91), until=at),
    ):
        assert refusal(queries.list_page, session, wrong, looker) == "span-wrong"
