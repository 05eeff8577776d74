"""When a citizen is called again: said before it is saved, and at night only if they agreed to it."""

# ruff: noqa: F811  (fixtures of another file)

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.app import create
from db.engine import now, reading, writing
from db.models import AuditEntry, Callback, LedgerEntry, Registration, User
from db.states import CallbackState, Fact, Outcome, Phase
from hotline.callbacks import closing, schedule, screening, transitions
from hotline.callbacks.schedule import Because
from hotline.clock import CITY, skip_quiet_hours
from hotline.errors import Refused
from hotline.ledger.verify import verify
from hotline.reports import audit_texts
from hotline.rounds import phases
from settings import QuietHours, Settings
from tests import factories as make
from tests.api.desk.test_desk import V1, Page, page, user  # noqa: F401  (fixtures)
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.story import Story

MINUTE, HOUR = make.MINUTE, make.HOUR
O = Outcome  # noqa: E741


@pytest.fixture
def night(settings: Settings, engine: Engine) -> Settings:
    """It is quiet now, and for the next three hours."""
    with reading(engine) as session:
        city = now(session).astimezone(CITY)
    quiet = QuietHours((city - HOUR).time(), (city + 3 * HOUR).time())
    return settings.model_copy(update={"quiet_hours": quiet, "max_attempts": 3})


@pytest.fixture
def story(engine: Engine, night: Settings) -> Story:
    """A live round at night that goes on for nine hours."""
    return Story(engine, night)


def spoken_with(story: Story) -> Callback:
    """A citizen with whom the first desk has just spoken."""
    id_ = story.registers()
    assert story.called(None) == id_
    with writing(story.engine) as session:
        callback = transitions.find_by_registration(session, id_)
        assert callback
        callback.state, callback.talking_at = CallbackState.ENDED, now(session)
        return callback


def says(story: Story, callback: Callback, **wish: Any) -> Registration:
    with writing(story.engine) as session:
        mine = session.get_one(Callback, callback.id)
        closing.record_outcome(session, mine, O.CALL_AGAIN, story.conf, **wish)
        return session.get_one(Registration, callback.registration_id)


def foreseen(story: Story, callback: Callback, wish: datetime | None, *, agreed: bool = False) -> Any:
    with reading(story.engine) as session:
        mine = session.get_one(Callback, callback.id)
        return schedule.forecast(session, mine, wish, story.conf, agreed=agreed)


def moment(engine: Engine) -> datetime:
    with reading(engine) as session:
        return now(session)


# Said before it is saved


@pytest.mark.parametrize("agreed", [False, True])
def test_foretold_time_of_a_night_wish_is_what_is_saved(story: Story, agreed: bool) -> None:
    callback, wish = spoken_with(story), moment(story.engine) + 10 * MINUTE
    said = foreseen(story, callback, wish, agreed=agreed)
    morning = skip_quiet_hours(wish, story.conf.quiet_hours)
    assert (
        said == ((wish, Because.WISHED, True) if agreed else (morning, Because.QUIET_HOURS, True))
        and morning > wish + 2 * HOUR
    )
    place = says(story, callback, again_at=wish, agreed_by="desk1" if agreed else None)
    assert place.not_before == said.at


def test_foretold_time_without_a_wish_follows_the_rule(story: Story) -> None:
    callback = spoken_with(story)
    said = foreseen(story, callback, None)
    place = says(story, callback)
    assert said.because is Because.QUIET_HOURS and place.not_before == said.at
    day = story.conf.model_copy(update={"quiet_hours": QuietHours(CITY_NOON, CITY_NOON)})
    with reading(story.engine) as session:
        by_day = schedule.forecast(session, callback, None, day)
        assert by_day.because is Because.RULE and by_day.at
        assert abs(by_day.at - now(session) - timedelta(seconds=day.retry_seconds / 2)) < MINUTE


CITY_NOON = datetime(2026, 1, 1, 12).time()


def test_wish_past_the_round_end_names_the_next_round(
    story: Story,
) -> None:
    callback, wish = spoken_with(story), moment(story.engine) + 10 * HOUR
    assert foreseen(story, callback, wish) == (None, Because.PAST_END, False)
    with writing(story.engine) as session:
        later = make.a_round(session, Phase.OPEN)
        later.official_id = phases.get(session, story.round).official_id
        starts_at = later.starts_at = moment(story.engine) + 11 * HOUR
        later.registration_until, later.ends_at = starts_at, starts_at + HOUR
    assert foreseen(story, callback, wish) == (starts_at, Because.PAST_END, False)
    with writing(story.engine) as session:
        phases.end_round(session, phases.get(session, story.round))
    soon = moment(story.engine) + 10 * MINUTE
    assert foreseen(story, callback, soon, agreed=True) == (starts_at, Because.PAST_END, True)
    assert foreseen(story, callback, None) == (starts_at, Because.PAST_END, False)


def test_agreed_time_past_the_round_end_keeps_this_round(
    story: Story,
) -> None:
    callback, wish = spoken_with(story), moment(story.engine) + 10 * MINUTE
    with writing(story.engine) as session:
        round_ = phases.get(session, story.round)
        round_.registration_until = round_.ends_at = now(session) + HOUR
    assert foreseen(story, callback, wish) == (None, Because.PAST_END, True)
    assert foreseen(story, callback, wish, agreed=True) == (wish, Because.WISHED, True)


# Agreed by voice


def test_agreed_night_time_is_kept_and_logged(
    story: Story,
) -> None:
    callback, wish = spoken_with(story), moment(story.engine)
    place = says(story, callback, again_at=wish, agreed_by="desk1")
    with reading(story.engine) as session:
        done = session.get_one(Callback, callback.id)
        assert (done.again_at, done.agreed) == (wish, True)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "call-agreed")).one()
        outcomes = select(LedgerEntry.details).where(LedgerEntry.fact == Fact.OUTCOME)
        assert json.loads(session.scalars(outcomes).one())["agreed"] is True
    local = wish.astimezone(CITY)
    assert (entry.who, entry.subject) == ("desk1", f"callback {callback.id}")
    assert audit_texts.describe_entry(entry, "en").reason == f"{local:%Y-%m-%d %H:%M}"
    persian = audit_texts.describe_entry(entry, "fa")
    assert persian.action == "قرار تماس با شهروند" and persian.reason.startswith("۱۴")
    assert story.called(O.NO_ANSWER) == place.id, "it rings at night"
    with reading(story.engine) as session:
        after = session.get_one(Registration, place.id)
        assert after.not_before == skip_quiet_hours(after.not_before, story.conf.quiet_hours), (
            "only that once"
        )
        assert after.not_before > now(session) + 2 * HOUR
    assert verify(story.engine).problems == []


def test_unagreed_night_time_waits_for_the_morning(
    story: Story,
) -> None:
    callback, wish = spoken_with(story), moment(story.engine)
    place = says(story, callback, again_at=wish)
    assert place.not_before and place.not_before > wish + 2 * HOUR
    with pytest.raises(AssertionError):
        story.called(None)
    with reading(story.engine) as session:
        assert session.get_one(Callback, callback.id).agreed is False
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "call-agreed")).all() == []
        outcomes = select(LedgerEntry.details).where(LedgerEntry.fact == Fact.OUTCOME)
        assert "agreed" not in json.loads(session.scalars(outcomes).one())


def test_time_agreed_by_a_screening_operator_is_kept(engine: Engine, night: Settings) -> None:
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.SCREENING)
        callback.desk_id = None
        session.flush()
        wish = now(session) + MINUTE
        done = screening.dismiss(session, callback, O.CALL_AGAIN, night, again_at=wish, agreed_by="desk1")
        assert (done.agreed, done.registration.not_before) == (True, wish)


@pytest.mark.parametrize(("outcome", "minutes"), [(O.CALL_AGAIN, None), (O.REFUSED, 10), (O.REACHED, None)])
def test_agreement_without_a_time_is_refused(story: Story, outcome: Outcome, minutes: int | None) -> None:
    callback = spoken_with(story)
    wish = moment(story.engine) + minutes * MINUTE if minutes else None
    with pytest.raises(Refused, match="agreed-without-time"), writing(story.engine) as session:
        mine = session.get_one(Callback, callback.id)
        closing.record_outcome(session, mine, outcome, story.conf, again_at=wish, agreed_by="desk1")
    with reading(story.engine) as session:
        assert session.get_one(Callback, callback.id).state is CallbackState.ENDED
        assert session.scalars(select(AuditEntry)).all() == []


# Over the wire


@pytest.fixture
def app(night: Settings, engine: Engine) -> FastAPI:
    """The API at night."""
    return create(night)


def _held(engine: Engine, user: User, state: CallbackState = CallbackState.ENDED) -> Callback:
    with writing(engine) as session:
        held = make.a_callback(session, state, session.get_one(User, user.id))
        round_ = phases.get(session, held.round_id)
        round_.ends_at += 9 * HOUR
        return held


def test_desk_reads_the_servers_own_forecast(engine: Engine, page: Page, user: User, night: Settings) -> None:
    held = _held(engine, user)
    desk, address = page(user=user), f"{V1}/callbacks/{held.id}"
    wish = (moment(engine) + 10 * MINUTE).replace(microsecond=0)
    asked = {"again_at": wish.isoformat()}
    told = desk.get(f"{address}/called-again", params=asked).json()
    morning = skip_quiet_hours(wish, night.quiet_hours)
    assert (told["because"], told["quiet"]) == ("quiet-hours", True)
    assert datetime.fromisoformat(told["at"]) == morning
    agreed = desk.get(f"{address}/called-again", params={**asked, "agreed": "true"}).json()
    assert (agreed["because"], datetime.fromisoformat(agreed["at"])) == ("wished", wish)

    said = {"outcome": "call_again", "note": "", **asked, "agreed": True}
    assert desk.put(f"{address}/outcome", json=said).status_code == 200
    with reading(engine) as session:
        assert session.get_one(Registration, held.registration_id).not_before == wish
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "call-agreed")).one()
        assert entry.who == user.username


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"agreed": "true"}, 422, "agreed-without-time"),
        ({"again_at": "2026-11-26T10:00"}, 422, "invalid-input"),  # whose time?
        ({"again_at": "tomorrow"}, 422, "invalid-input"),
        ({"again_at": "2999-01-01T00:00Z"}, 409, "too-far-ahead"),
        ({"agreed": "perhaps"}, 422, "invalid-input"),
    ],
)
def test_invalid_wish_is_refused_clearly(
    engine: Engine, page: Page, user: User, asked: dict[str, str], status: int, code: str
) -> None:
    held = _held(engine, user)
    desk, address = page(user=user), f"{V1}/callbacks/{held.id}"
    answer = desk.get(f"{address}/called-again", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = desk.put(f"{address}/outcome", json={"outcome": "call_again", "note": "", **asked})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_forecast_of_another_desk_is_refused_except_screening(engine: Engine, page: Page, user: User) -> None:
    held = _held(engine, user, CallbackState.SCREENING)
    address = f"{V1}/callbacks/{held.id}/called-again"
    assert page().get(address).status_code == 403
    assert page(user=user).get(address).json()["because"] == "quiet-hours"
    assert page(user=user).get(f"{V1}/callbacks/99999/called-again").status_code == 404


def test_wish_without_agreement_follows_the_rule(session: Session) -> None:
    round_ = make.a_round(session)
    at = now(session)
    plain = Settings.model_construct(retry_seconds=600, quiet_hours=QuietHours(CITY_NOON, CITY_NOON))
    assert schedule.find_promised_time(at + MINUTE, at, round_, plain) == (at + MINUTE, Because.WISHED)
