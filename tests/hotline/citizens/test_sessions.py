"""Citizens' sessions: what a lost answer costs, what a stolen token ends, where one is signed in."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import CitizenSession, CodeWay
from hotline.citizens import codes, sessions
from hotline.citizens.sessions import Tokens
from settings import Settings
from tests.factories import BROWSER, a_number, at_once

SECOND = timedelta(seconds=1)
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0"


def begun(engine: Engine, settings: Settings, number: str = "") -> Tokens:
    with writing(engine) as session:
        code = codes.ask(session, number or a_number(), CodeWay.CALL, "fa", settings, browser=BROWSER)
        return sessions.begin_session(session, code, FIREFOX, settings)


def rotate(engine: Engine, settings: Settings, refresh: str) -> Tokens | None:
    with writing(engine) as session:
        return sessions.rotate(session, refresh, settings)


def again(engine: Engine, settings: Settings, refresh: str) -> Tokens:
    tokens = rotate(engine, settings, refresh)
    assert tokens
    return tokens


def is_in(engine: Engine, tokens: Tokens) -> bool:
    with reading(engine) as session:
        return sessions.find_by_access(session, tokens.access) is not None


def use(engine: Engine, tokens: Tokens) -> None:
    with writing(engine) as session:
        sessions.record_use(session, tokens.access)


def passes(engine: Engine, time: timedelta) -> None:
    with writing(engine) as session:
        for each in session.scalars(select(CitizenSession)):
            each.access_until -= time
            each.expires_at -= time
            each.rotated_at -= time


def test_code_shown_by_a_clock_ahead_is_not_fresh_for_hours(engine: Engine, settings: Settings) -> None:
    begun(engine, settings)
    with writing(engine) as session:
        mine = session.scalars(select(CitizenSession)).one()
        assert sessions.is_fresh(session, mine)
        mine.created_at += timedelta(hours=3)
        assert not sessions.is_fresh(session, mine)


def test_refresh_restores_expired_access(engine: Engine, settings: Settings) -> None:
    first = begun(engine, settings)
    assert is_in(engine, first)
    passes(engine, sessions.ACCESS + SECOND)
    assert not is_in(engine, first)
    second = again(engine, settings, first.refresh)
    assert is_in(engine, second)
    passes(engine, sessions.REFRESH + SECOND)
    assert rotate(engine, settings, second.refresh) is None


def test_database_holds_no_token_in_the_clear(engine: Engine, settings: Settings) -> None:
    tokens = again(engine, settings, begun(engine, settings).refresh)
    with reading(engine) as session:
        row = str(vars(session.scalars(select(CitizenSession)).one()))
    assert tokens.access not in row and tokens.refresh.partition(".")[2] not in row


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3)])
def test_lost_refresh_answer_is_repeated_however_late(
    engine: Engine, settings: Settings, later: timedelta
) -> None:
    first = begun(engine, settings)
    lost = again(engine, settings, first.refresh)
    passes(engine, later)
    told = again(engine, settings, first.refresh)
    assert (told.access, told.refresh) == (lost.access, lost.refresh)
    assert is_in(engine, told)
    assert is_in(engine, again(engine, settings, told.refresh))


def test_three_tabs_refreshing_at_once_stay_signed_in(engine: Engine, settings: Settings) -> None:
    first = begun(engine, settings)
    told = at_once(3, lambda _: again(engine, settings, first.refresh))
    assert len({tokens.refresh for tokens in told}) == 1
    use(engine, told[0])
    assert is_in(engine, again(engine, settings, first.refresh)), "a fourth, a moment later"


def test_late_refresh_with_a_used_successor_ends_the_session(engine: Engine, settings: Settings) -> None:
    first = begun(engine, settings)
    second = again(engine, settings, first.refresh)
    use(engine, second)
    passes(engine, sessions.GRACE + SECOND)
    assert rotate(engine, settings, first.refresh) is None
    assert not is_in(engine, second)
    assert rotate(engine, settings, second.refresh) is None


def test_refresh_token_two_before_ends_the_session(engine: Engine, settings: Settings) -> None:
    first = begun(engine, settings)
    third = again(engine, settings, again(engine, settings, first.refresh).refresh)
    assert rotate(engine, settings, first.refresh) is None
    assert not is_in(engine, third)


@pytest.mark.parametrize("token", ["", ".", "x" * 10_000, "\x00", "0" * 32 + "." + "0" * 32, "é.é"])
def test_invalid_token_lets_nobody_in_and_ends_nothing(
    engine: Engine, settings: Settings, token: str
) -> None:
    mine = begun(engine, settings)
    assert rotate(engine, settings, token) is None
    with writing(engine) as session:
        assert sessions.find_by_access(session, token) is None
        sessions.end_by_refresh(session, token)
    assert is_in(engine, mine)


def test_sign_out_everywhere_spares_other_numbers(engine: Engine, settings: Settings) -> None:
    number = a_number()
    mine = [begun(engine, settings, number), begun(engine, settings, number)]
    other = begun(engine, settings)
    with writing(engine) as session:
        kept = sessions.list_by_number(session, number)
        assert [each.agent for each in kept] == ["Firefox, Android"] * 2
        sessions.end_all(session, number)
    assert [is_in(engine, each) for each in [*mine, other]] == [False, False, True]


def test_code_shown_again_replaces_the_lost_session(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        code = codes.ask(session, a_number(), CodeWay.CALL, "fa", settings, browser=BROWSER)
        lost = sessions.begin_session(session, code, "", settings)
        told = sessions.begin_session(session, code, "", settings)
    assert not is_in(engine, lost) and is_in(engine, told)


def test_session_above_the_limit_replaces_the_oldest(engine: Engine, settings: Settings) -> None:
    number = a_number()
    with writing(engine) as session:
        code = codes.ask(session, number, CodeWay.CALL, "fa", settings, browser=BROWSER)
        begun = []
        for _ in range(21):
            code.session_id = None
            begun.append(sessions.begin_session(session, code, "", settings))
        assert len(sessions.list_by_number(session, number)) == 20
    assert not is_in(engine, begun[0]) and is_in(engine, begun[-1])


def test_expired_sessions_are_deleted(engine: Engine, settings: Settings) -> None:
    begun(engine, settings)
    passes(engine, sessions.REFRESH + SECOND)
    kept = begun(engine, settings)
    with writing(engine) as session:
        sessions.forget(session)
        assert [each.id for each in session.scalars(select(CitizenSession))] == [kept.session.id]
        assert kept.session.expires_at > now(session)
