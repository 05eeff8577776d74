"""One-time codes: who is given one, what shows it, and what nobody can find out by asking."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import CitizenCode, CodeWay, KnownBrowser, OutboundCall, OutboxKind, OutboxMessage
from hotline.citizens import browsers, code_calls, codes, sessions
from hotline.errors import Refused
from hotline.outbound import queue
from settings import Settings
from tests.factories import ANOTHER, BROWSER, a_number, at_once
from tests.kit.refusal import refusal

SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of a city with text messages."""
    return settings.model_copy(update={"sms_provider": "console"})


def ask(
    engine: Engine, settings: Settings, number: str, way: CodeWay = CodeWay.SMS, browser: str = BROWSER
) -> str:
    """Somebody asks; the code that the number is given."""
    with writing(engine) as session:
        asked = codes.ask(session, number, way, "fa", settings, browser=browser)
        return codes.read_digits(asked, settings)


def lets_in(engine: Engine, settings: Settings, number: str, typed: str, browser: str = BROWSER) -> bool:
    with writing(engine) as session:
        return codes.show(session, number, typed, settings, browser=browser) is not None


def signs_in(engine: Engine, settings: Settings, number: str, browser: str) -> None:
    """A browser is from now on known to the number."""
    with writing(engine) as session:
        asked = codes.ask(session, number, CodeWay.SMS, "fa", settings, browser=browser)
        sessions.begin_session(session, asked, "", settings)


def passes(engine: Engine, time: timedelta) -> None:
    """Time passes for all codes."""
    with writing(engine) as session:
        for code in session.scalars(select(CitizenCode)):
            code.asked_at -= time
            code.expires_at -= time
            code.used_at = code.used_at and code.used_at - time


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 10**6:06}"


def test_code_lets_in_once(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    assert len(code) == 6 and code.isdecimal()
    assert not lets_in(engine, settings, a_number(), code), "another number's"
    assert lets_in(engine, settings, number, code)
    passes(engine, codes.AGAIN + SECOND)
    assert not lets_in(engine, settings, number, code)


def test_code_with_a_lost_answer_lets_in_again_at_once(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    assert lets_in(engine, settings, number, code)
    assert lets_in(engine, settings, number, code)


@pytest.mark.parametrize("typed", ["{} ", " \u200f{}", "{0[0]}{0[1]}{0[2]}-{0[3]}{0[4]}{0[5]}"])
def test_code_is_understood_however_it_is_typed(engine: Engine, settings: Settings, typed: str) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    persian = code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert not lets_in(engine, settings, number, "")
    assert lets_in(engine, settings, number, typed.format(persian))


def test_five_wrong_tries_end_the_code(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    for _ in range(4):
        assert not lets_in(engine, settings, number, wrong(code))
    assert lets_in(engine, settings, number, code), "the fifth try is right"

    other = a_number()
    code = ask(engine, settings, other)
    for _ in range(5):
        assert not lets_in(engine, settings, other, wrong(code))
    assert not lets_in(engine, settings, other, code)


def test_simultaneous_tries_are_limited_to_five(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    at_once(8, lambda _: lets_in(engine, settings, number, wrong(code)))
    with reading(engine) as session:
        kept = session.scalars(select(CitizenCode)).one()
    assert kept.tries == 5 and kept.ended_at
    assert not lets_in(engine, settings, number, code)


def test_simultaneous_use_of_a_code_counts_once(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    at_once(2, lambda _: lets_in(engine, settings, number, code))
    with reading(engine) as session:
        kept = session.scalars(select(CitizenCode)).one()
    assert kept.used_at == kept.ended_at


def test_expired_code_is_refused(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    passes(engine, codes.LASTS + SECOND)
    assert not lets_in(engine, settings, number, code)


def test_newer_code_ends_the_earlier(engine: Engine, settings: Settings) -> None:
    number = a_number()
    first, second = ask(engine, settings, number), ask(engine, settings, number)
    if first != second:
        assert not lets_in(engine, settings, number, first)
    assert lets_in(engine, settings, number, second)


def test_simultaneous_requests_leave_one_open_code(engine: Engine, settings: Settings) -> None:
    number = a_number()
    at_once(3, lambda _: ask(engine, settings, number))
    with reading(engine) as session:
        open_ = session.scalars(select(CitizenCode).where(CitizenCode.ended_at.is_(None))).all()
    assert len(open_) == 1


def test_database_refuses_a_second_open_code(session: Session, settings: Settings) -> None:
    code = codes.ask(session, a_number(), CodeWay.SMS, "fa", settings, browser=BROWSER)
    at = now(session)
    values = {"way": CodeWay.SMS, "language": "fa", "salt": "0" * 32, "asked_at": at, "expires_at": at}
    values["browser"] = code.browser
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(CitizenCode(number=code.number, **values))
        session.flush()
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(CitizenCode).values(tries=6))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(CitizenCode).values(used_at=at))


def test_fourth_code_of_an_hour_is_refused_with_the_time(engine: Engine, settings: Settings) -> None:
    number = a_number()
    for _ in range(3):
        last = ask(engine, settings, number)
    with pytest.raises(Refused) as refused:
        ask(engine, settings, number)
    assert refused.value.code == "too-many-codes"
    assert 3590 <= (refused.value.after_s or 0) <= 3600
    assert ask(engine, settings, a_number()), "others are given theirs"
    assert lets_in(engine, settings, number, last), "the last one still counts"


def test_eleventh_code_of_a_day_is_refused(engine: Engine, settings: Settings) -> None:
    number = a_number()
    for _ in range(10):
        ask(engine, settings, number)
        passes(engine, timedelta(minutes=61))
    assert refusal(ask, engine, settings, number) == "too-many-codes"
    passes(engine, timedelta(hours=14))
    assert ask(engine, settings, number)


def test_guesses_of_a_stranger_leave_the_owners_code_alone(engine: Engine, settings: Settings) -> None:
    number = a_number()
    code = ask(engine, settings, number)
    strangers = ask(engine, settings, number, browser=ANOTHER)
    for _ in range(5):
        assert not lets_in(engine, settings, number, wrong(strangers), ANOTHER)
        assert not lets_in(engine, settings, number, code, ""), "no browser"
    if code != strangers:
        assert not lets_in(engine, settings, number, code, ANOTHER), "another browser's"
    assert lets_in(engine, settings, number, code)
    with reading(engine) as session:
        tries = session.scalars(select(CitizenCode.tries).order_by(CitizenCode.id)).all()
    assert tries == [1, 5]


def test_known_browser_has_codes_of_its_own(engine: Engine, settings: Settings) -> None:
    number = a_number()
    signs_in(engine, settings, number, BROWSER)
    for which in "12":
        ask(engine, settings, number, browser=which * 32)
    assert refusal(ask, engine, settings, number, browser=ANOTHER) == "too-many-codes"
    own = [ask(engine, settings, number) for _ in range(3)]
    assert refusal(ask, engine, settings, number) == "too-many-codes"
    assert lets_in(engine, settings, number, own[-1])
    other = a_number()
    for _ in range(3):
        ask(engine, settings, other)
    assert refusal(ask, engine, settings, other) == "too-many-codes", "known to one number, not to another"


@pytest.mark.parametrize("used_up", [CodeWay.SMS, CodeWay.CALL])
def test_used_up_way_leaves_strangers_the_other(engine: Engine, settings: Settings, used_up: CodeWay) -> None:
    number = a_number()
    other = CodeWay.SMS if used_up is CodeWay.CALL else CodeWay.CALL
    for _ in range(3):
        ask(engine, settings, number, used_up, ANOTHER)
    assert refusal(ask, engine, settings, number, used_up) == "too-many-codes"
    assert lets_in(engine, settings, number, ask(engine, settings, number, other))


def test_codes_of_many_browsers_are_bounded(engine: Engine, settings: Settings) -> None:
    number = a_number()
    for which in "123":
        signs_in(engine, settings, number, which * 32)
    for which in "1122233":
        told = refusal_or_code(engine, settings, number, which * 32)
    assert told == "too-many-codes"
    with reading(engine) as session:
        assert len(session.scalars(select(CitizenCode)).all()) == 9


def refusal_or_code(engine: Engine, settings: Settings, number: str, browser: str) -> str:
    try:
        return ask(engine, settings, number, browser=browser)
    except Refused as refused:
        return refused.code


def test_signed_out_or_old_browser_is_unknown(engine: Engine, settings: Settings) -> None:
    numbers = a_number(), a_number()
    for number in numbers:
        signs_in(engine, settings, number, BROWSER)
    with reading(engine) as session:
        assert len(set(session.scalars(select(KnownBrowser.browser)))) == 2, "nothing tells it is one browser"
    with writing(engine) as session:
        sessions.end_all(session, numbers[0])
        year = {"seen_at": now(session) - browsers.LASTS}
        session.execute(update(KnownBrowser).where(KnownBrowser.number == numbers[1]).values(year))
    for number in numbers:
        for _ in range(2):
            ask(engine, settings, number)
        assert refusal(ask, engine, settings, number) == "too-many-codes"
    with writing(engine) as session:
        sessions.forget(session)
        assert session.scalars(select(KnownBrowser)).all() == []


def test_browser_above_the_limit_replaces_the_oldest(
    session: Session,
) -> None:
    number = a_number()
    at = now(session)
    for hours in range(20):
        seen = at - timedelta(hours=hours)
        session.add(KnownBrowser(number=number, browser=f"{hours:064}", seen_at=seen))
    session.flush()
    browsers.record_sign_in(session, number, "f" * 64)
    browsers.record_sign_in(session, number, "f" * 64)
    assert len(session.scalars(select(KnownBrowser)).all()) == 20
    assert browsers.is_known(session, number, "f" * 64)
    assert not browsers.is_known(session, number, f"{19:064}")


def test_codes_of_all_numbers_have_an_hourly_cap(engine: Engine, settings: Settings) -> None:
    few = settings.model_copy(update={"codes_per_hour": 4})
    for _ in range(4):
        ask(engine, few, a_number())
    assert refusal(ask, engine, few, a_number()) == "too-many-codes"


def test_codes_beyond_the_cap_of_a_day_are_refused(engine: Engine, settings: Settings) -> None:
    few = settings.model_copy(update={"codes_per_day": 5})
    for _ in range(4):
        ask(engine, few, a_number())
        passes(engine, timedelta(minutes=61))
    assert refusal(ask, engine, few, a_number()) == "too-many-codes"
    passes(engine, timedelta(hours=20))
    assert ask(engine, few, a_number())


def test_used_up_text_messages_leave_the_calls(engine: Engine, settings: Settings) -> None:
    few = settings.model_copy(update={"codes_per_hour": 5, "codes_per_day": 5})
    for _ in range(4):
        ask(engine, few, a_number(), browser=ANOTHER)
    number = a_number()
    assert refusal(ask, engine, few, number) == "too-many-codes"
    assert ask(engine, few, number, CodeWay.CALL)


@pytest.mark.parametrize(
    ("way", "caps"),
    [
        (CodeWay.SMS, {"codes_per_hour": 10}),
        (CodeWay.SMS, {"codes_per_day": 10}),
        (CodeWay.CALL, {"calls_per_hour": 50}),
        (CodeWay.CALL, {"calls_per_day": 50}),
    ],
)
def test_known_browser_gets_a_code_above_the_common_cap(
    engine: Engine, settings: Settings, way: CodeWay, caps: dict[str, int]
) -> None:
    few = settings.model_copy(update=caps)
    owners = [a_number() for _ in range(2)]
    for owner in owners:
        signs_in(engine, settings, owner, BROWSER)
    passes(engine, timedelta(days=1) + SECOND)
    for _ in range(8):
        ask(engine, few, a_number(), way, ANOTHER)
    assert refusal(ask, engine, few, a_number(), way, ANOTHER) == "too-many-codes"
    for owner in owners:
        assert ask(engine, few, owner, way), "a fifth is kept for whom we know"
    signs_in(engine, settings, owner := a_number(), BROWSER)
    assert refusal(ask, engine, few, owner, way) == "too-many-codes"


def test_code_call_of_a_known_browser_goes_first(engine: Engine, settings: Settings) -> None:
    owner = a_number()
    signs_in(engine, settings, owner, BROWSER)
    for number in (a_number(), owner, a_number()):
        ask(engine, settings, number, CodeWay.CALL)
    with reading(engine) as session:
        (first,) = queue.list_due(session, code_calls.CALLS, 1)
        assert session.get_one(OutboundCall, first).number == owner


@pytest.mark.parametrize(
    ("caps", "within"), [({"calls_per_hour": 10}, "an hour"), ({"calls_per_day": 10}, "a day")]
)
def test_code_calls_of_strangers_leave_the_other_calls(
    engine: Engine, settings: Settings, caps: dict[str, int], within: str
) -> None:
    few = settings.model_copy(update=caps)
    for _ in range(2):
        ask(engine, few, a_number(), CodeWay.CALL)
    assert refusal(ask, engine, few, a_number(), CodeWay.CALL) == "too-many-codes"
    assert ask(engine, few, a_number()), "by text message it costs no call"
    passes(engine, timedelta(minutes=61))
    if within == "a day":
        assert refusal(ask, engine, few, a_number(), CodeWay.CALL) == "too-many-codes"
        passes(engine, timedelta(hours=23))
    assert ask(engine, few, a_number(), CodeWay.CALL)


def test_land_line_gets_its_code_by_call_only(engine: Engine, settings: Settings) -> None:
    settings = settings.model_copy(update={"bale_key": "k", "bale_bot": 7})
    for way in (CodeWay.SMS, CodeWay.MESSENGER):
        assert refusal(ask, engine, settings, "+983132123456", way) == "way-needs-mobile"
    assert ask(engine, settings, "+983132123456", CodeWay.CALL)


def test_channel_that_nobody_serves_is_not_offered(engine: Engine, settings: Settings) -> None:
    bare = settings.model_copy(update={"sms_provider": ""})
    assert codes.list_ways(bare) == [CodeWay.CALL]
    for way in (CodeWay.SMS, CodeWay.MESSENGER):
        assert refusal(ask, engine, bare, a_number(), way) == "way-not-offered"


def test_database_holds_no_code_in_the_clear(engine: Engine, settings: Settings) -> None:
    given = [ask(engine, settings, a_number()) for _ in range(5)]
    with reading(engine) as session:
        rows = [
            str(row)
            for table in ("citizen_codes", "outbox", "audit", "events")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        ]
        sent = session.scalars(select(OutboxMessage)).all()
    assert {message.kind for message in sent} == {OutboxKind.SIGN_IN_CODE}
    bodies = " ".join(message.body for message in sent)
    assert len(rows) == 10
    assert not any(code in bodies for code in given)
    assert not any(f"'{code}'" in row for row in rows for code in given)


def test_old_codes_and_their_messages_are_deleted(engine: Engine, settings: Settings) -> None:
    ask(engine, settings, a_number())
    passes(engine, timedelta(hours=25))
    with writing(engine) as session:
        session.execute(update(OutboxMessage).values(made_at=now(session) - timedelta(hours=25)))
    ask(engine, settings, a_number())
    with writing(engine) as session:
        codes.forget(session)
        assert len(session.scalars(select(CitizenCode)).all()) == 1
        assert len(session.scalars(select(OutboxMessage)).all()) == 1
