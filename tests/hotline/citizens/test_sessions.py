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
        return sessions.begin(session, code, FIREFOX, settings)


def rotate(engine: Engine, settings: Settings, refresh: str) -> Tokens | None:
    with writing(engine) as session:
        return sessions.rotate(session, refresh, settings)


def again(engine: Engine, settings: Settings, refresh: str) -> Tokens:
    tokens = rotate(engine, settings, refresh)
    assert tokens
    return tokens


def is_in(engine: Engine, tokens: Tokens) -> bool:
    with reading(engine) as session:
        return sessions.of_access(session, tokens.access) is not None


def use(engine: Engine, tokens: Tokens) -> None:
    with writing(engine) as session:
        sessions.used(session, tokens.access)


def passes(engine: Engine, time: timedelta) -> None:
    with writing(engine) as session:
        for each in session.scalars(select(CitizenSession)):
            each.access_until -= time
            each.expires_at -= time
            each.rotated_at -= time


def test_given_a_session_when_time_passes_then_access_ends_first_and_a_refresh_gives_it_back(
    engine: Engine, settings: Settings
) -> None:
    first = begun(engine, settings)
    assert is_in(engine, first)
    passes(engine, sessions.ACCESS + SECOND)
    assert not is_in(engine, first)
    second = again(engine, settings, first.refresh)
    assert is_in(engine, second)
    passes(engine, sessions.REFRESH + SECOND)
    assert rotate(engine, settings, second.refresh) is None


def test_given_tokens_when_the_database_is_read_then_none_is_in_it(
    engine: Engine, settings: Settings
) -> None:
    tokens = again(engine, settings, begun(engine, settings).refresh)
    with reading(engine) as session:
        row = str(vars(session.scalars(select(CitizenSession)).one()))
    assert tokens.access not in row and tokens.refresh.partition(".")[2] not in row


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3)])
def test_given_an_answer_that_was_lost_when_it_is_asked_again_however_late_then_it_is_the_same(
    engine: Engine, settings: Settings, later: timedelta
) -> None:
    first = begun(engine, settings)
    lost = again(engine, settings, first.refresh)
    passes(engine, later)
    told = again(engine, settings, first.refresh)
    assert (told.access, told.refresh) == (lost.access, lost.refresh)
    assert is_in(engine, told)
    assert is_in(engine, again(engine, settings, told.refresh))


def test_given_three_tabs_that_ask_at_one_moment_when_answered_then_all_have_the_same_and_stay_in(
    engine: Engine, settings: Settings
) -> None:
    first = begun(engine, settings)
    told = at_once(3, lambda _: again(engine, settings, first.refresh))
    assert len({tokens.refresh for tokens in told}) == 1
    use(engine, told[0])
    assert is_in(engine, again(engine, settings, first.refresh)), "a fourth, a moment later"


def test_given_a_refresh_token_whose_successor_is_in_use_when_it_comes_late_then_all_of_it_ends(
    engine: Engine, settings: Settings
) -> None:
    first = begun(engine, settings)
    second = again(engine, settings, first.refresh)
    use(engine, second)
    passes(engine, sessions.GRACE + SECOND)
    assert rotate(engine, settings, first.refresh) is None
    assert not is_in(engine, second)
    assert rotate(engine, settings, second.refresh) is None


def test_given_a_refresh_token_two_before_when_it_comes_then_all_of_it_ends_at_once(
    engine: Engine, settings: Settings
) -> None:
    first = begun(engine, settings)
    third = again(engine, settings, again(engine, settings, first.refresh).refresh)
    assert rotate(engine, settings, first.refresh) is None
    assert not is_in(engine, third)


@pytest.mark.parametrize("token", ["", ".", "x" * 10_000, "\x00", "0" * 32 + "." + "0" * 32, "é.é"])
def test_given_what_is_no_token_when_shown_then_nobody_is_in_and_nothing_ends(
    engine: Engine, settings: Settings, token: str
) -> None:
    mine = begun(engine, settings)
    assert rotate(engine, settings, token) is None
    with writing(engine) as session:
        assert sessions.of_access(session, token) is None
        sessions.end_by_refresh(session, token)
    assert is_in(engine, mine)


def test_given_sessions_of_two_numbers_when_one_signs_out_everywhere_then_the_other_stays(
    engine: Engine, settings: Settings
) -> None:
    number = a_number()
    mine = [begun(engine, settings, number), begun(engine, settings, number)]
    other = begun(engine, settings)
    with writing(engine) as session:
        kept = sessions.of_number(session, number)
        assert [each.agent for each in kept] == ["Firefox, Android"] * 2
        sessions.end_all(session, number)
    assert [is_in(engine, each) for each in [*mine, other]] == [False, False, True]


def test_given_the_code_of_a_session_when_shown_again_then_its_session_takes_the_place_of_the_lost_one(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        code = codes.ask(session, a_number(), CodeWay.CALL, "fa", settings, browser=BROWSER)
        lost = sessions.begin(session, code, "", settings)
        told = sessions.begin(session, code, "", settings)
    assert not is_in(engine, lost) and is_in(engine, told)


def test_given_very_many_sessions_of_a_number_when_one_more_begins_then_the_oldest_gives_way(
    engine: Engine, settings: Settings
) -> None:
    number = a_number()
    with writing(engine) as session:
        code = codes.ask(session, number, CodeWay.CALL, "fa", settings, browser=BROWSER)
        begun = []
        for _ in range(21):
            code.session_id = None
            begun.append(sessions.begin(session, code, "", settings))
        assert len(sessions.of_number(session, number)) == 20
    assert not is_in(engine, begun[0]) and is_in(engine, begun[-1])


def test_given_sessions_that_are_over_when_forgotten_then_they_are_gone(
    engine: Engine, settings: Settings
) -> None:
    begun(engine, settings)
    passes(engine, sessions.REFRESH + SECOND)
    kept = begun(engine, settings)
    with writing(engine) as session:
        sessions.forget(session)
        assert [each.id for each in session.scalars(select(CitizenSession))] == [kept.session.id]
        assert kept.session.expires_at > now(session)
