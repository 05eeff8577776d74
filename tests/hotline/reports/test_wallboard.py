"""The wallboard's numbers against a day computed by hand; screens that see it and nothing else."""

from datetime import datetime, time, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from api.access import WALL_COOKIE
from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import AuditEntry, BreakReason, Callback, Desk, Incoming, Role, Round
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.people import sign_ins, wallboard_screens
from hotline.reports import call_counts
from hotline.reports import wallboard as wall
from hotline.reports.wallboard import Doing, WallDesk, build_wallboard
from hotline.rounds import phases
from hotline.timetable import days
from settings import CITY, Settings
from tests.factories import HOUR, a_desk, a_registration, a_round, a_ticket, a_user, some_registrations

C, S = CallbackState, RegistrationState
MINUTE = timedelta(minutes=1)


@pytest.fixture
def noon(session: Session, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is ten past noon in Isfahan, whatever the hour at which the tests run."""
    noon = days.find_moment(days.find_local_day(now(session)), time(12, 10))
    for module in (wall, call_counts):
        monkeypatch.setattr(module, "now", lambda _session: noon)
    return noon


@pytest.fixture
def live(session: Session, noon: datetime) -> Round:
    """A round that was opened 40 minutes ago."""
    return begins(session, a_round(session), noon - 40 * MINUTE, opened=True)


def begins(session: Session, round_: Round, at: datetime, *, opened: bool = False) -> Round:
    """The round begins then, takes two hours, and took registrations before."""
    round_.announce_at = round_.registration_from = at - 30 * HOUR
    round_.registration_until, round_.starts_at, round_.ends_at = at, at, at + 2 * HOUR
    round_.opened_at = at if opened else None
    session.flush()
    return round_


def call(
    session: Session, round_: Round, state: CallbackState, desk: Desk | None = None, **values: datetime
) -> None:
    """A callback of the round in this state; a closed one reached its citizen."""
    reached = state is C.CLOSED
    registration = a_registration(session, round_, state=S.REACHED if reached else S.CALLING)
    session.add(
        Callback(
            registration=registration,
            round_id=round_.id,
            desk_id=desk and desk.id,
            token=f"callback-{a_ticket()}",
            state=state,
            outcome=Outcome.REACHED if reached else None,
            **{"claimed_at": round_.starts_at, **values},
        )
    )
    session.flush()


def test_wallboard_matches_the_computed_day(session: Session, live: Round, noon: datetime) -> None:
    speaks, wants, over, _away, idle = (a_desk(session, connected=which != 3) for which in range(5))
    a_user(session, speaks)
    for desk in (wants, idle):
        desk.round_id = live.id
    wants.next_asked_at = noon - 2 * MINUTE
    some_registrations(session, live, 3, rounds_missed=1, registered_at=noon - 50 * HOUR)
    some_registrations(session, live, 4)
    first = a_registration(session, live, registered_at=noon - 90 * HOUR)
    call(session, live, C.TALKING, speaks, talking_at=noon - 5 * MINUTE)
    call(session, live, C.ENDED, over, talking_at=noon - 9 * MINUTE, ended_at=noon - MINUTE)
    call(session, live, C.RINGING)
    for minutes in (1, 3):
        call(session, live, C.WAITING, confirmed_at=noon - minutes * MINUTE)
    for minutes in (11, 20, 35):  # one of them at 11:59, which is the hour before
        at = noon - minutes * MINUTE
        call(session, live, C.CLOSED, idle, talking_at=at, ended_at=at + 5 * MINUTE)
    operators = phases.get_operators_line(session)
    begins(session, operators, noon - 400 * HOUR, opened=True).ends_at = noon + 400 * HOUR
    call(session, operators, C.CLOSED, idle, talking_at=noon - 4 * HOUR, ended_at=noon - 4 * HOUR)
    call(session, operators, C.CLOSED, idle, talking_at=noon - 13 * HOUR, ended_at=noon - 13 * HOUR)
    call_counts.add(session, {Incoming.ANSWERED: 7, Incoming.TURNED_AWAY: 2})

    shown = build_wallboard(session)

    line = next(line for line in shown.lines if not line.is_operators_line)
    assert (line.round_id, line.phase, line.office_en) == (live.id, Phase.LIVE, "Mayor")
    assert (line.waiting, line.waiting_since) == (8, first.registered_at)
    assert (line.ready, line.ready_since) == (2, noon - 3 * MINUTE)
    assert (line.calling, line.speaking, line.reached) == (1, 1, 3)
    assert line.per_hour == pytest.approx(3 * 60 / 40)
    operators_line = next(line for line in shown.lines if line.is_operators_line)
    assert (operators_line.reached, operators_line.per_hour, operators_line.waiting) == (1, 0, 0), (
        "yesterday's is not today's"
    )
    assert [(desk.doing, desk.since) for desk in shown.desks] == [
        (Doing.SPEAKING, noon - 5 * MINUTE),
        (Doing.WAITING, noon - 2 * MINUTE),
        (Doing.WRAP_UP, noon - MINUTE),
        (Doing.AWAY, None),
        (Doing.FREE, noon - 6 * MINUTE),
    ]
    assert shown.desks[0] == WallDesk(speaks.id, "اپراتور", live.id, Doing.SPEAKING, noon - 5 * MINUTE)
    hours = {hour.at.astimezone(CITY).hour: hour for hour in shown.hours}
    assert list(hours) == list(range(24))
    assert {hour: of.reached for hour, of in hours.items() if of.reached} == {8: 1, 11: 3}
    assert {hour: (of.answered, of.turned_away) for hour, of in hours.items() if of.answered} == {12: (7, 2)}


def test_desk_on_a_break_is_not_free(session: Session, live: Round, noon: datetime) -> None:
    rests, owes, speaks, away = (
        a_desk(session, connected=connected) for connected in (True, True, True, False)
    )
    for desk in (rests, owes, speaks, away):
        desk.break_reason, desk.break_since = BreakReason.REST, noon - 3 * MINUTE
    call(session, live, C.ENDED, owes, talking_at=noon - 9 * MINUTE, ended_at=noon - MINUTE)
    call(session, live, C.TALKING, speaks, talking_at=noon - 5 * MINUTE)
    shown = {desk.desk_id: (desk.doing, desk.since) for desk in build_wallboard(session).desks}
    assert shown[rests.id] == shown[owes.id] == (Doing.BREAK, noon - 3 * MINUTE)
    assert shown[speaks.id] == (Doing.SPEAKING, noon - 5 * MINUTE)
    assert shown[away.id] == (Doing.AWAY, None)


def test_public_rounds_of_today_are_shown(session: Session, noon: datetime) -> None:
    soon = noon + 2 * HOUR
    planned, announced, open_, closed, cancelled, _tomorrow = (
        begins(session, a_round(session, Phase.OPEN), soon + hours * HOUR) for hours in (0, 1, 2, 3, 4, 20)
    )
    planned.announce_at = planned.registration_from = announced.registration_from = noon + HOUR
    closed.registration_until = noon
    cancelled.cancelled_at = noon - HOUR
    over = begins(session, a_round(session), noon - 3 * HOUR)
    past_midnight = begins(session, a_round(session), noon - 13 * HOUR, opened=True)
    past_midnight.ends_at = noon - HOUR
    nobody_began = begins(session, a_round(session, Phase.OPEN), noon - 13.5 * HOUR)
    nobody_began.ends_at = noon + HOUR
    begins(session, a_round(session), noon - 20 * HOUR)
    session.flush()
    assert [(line.round_id, line.phase) for line in build_wallboard(session).lines] == [
        (nobody_began.id, Phase.CLOSED),
        (past_midnight.id, Phase.LIVE),
        (over.id, Phase.OVER),
        (announced.id, Phase.ANNOUNCED),
        (open_.id, Phase.OPEN),
        (closed.id, Phase.CLOSED),
        (cancelled.id, Phase.CANCELLED),
    ]


def test_young_or_inactive_round_shows_no_pace(session: Session, live: Round, noon: datetime) -> None:
    live.opened_at = noon - 9 * MINUTE
    assert [line.per_hour for line in build_wallboard(session).lines] == [None]
    live.opened_at, live.ended_at = noon - HOUR, noon
    assert [line.per_hour for line in build_wallboard(session).lines] == [None]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_wallboard_reads_no_whole_line(session: Session, live: Round) -> None:
    for _ in range(3):
        call(session, live, C.CLOSED, talking_at=live.starts_at)
    session.commit()
    plans: list[str] = []

    def explain(_connection, cursor, statement, parameters, *_more) -> None:  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT"):
            steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(step[3] for step in steps)

    event.listen(session.get_bind(), "before_cursor_execute", explain)
    build_wallboard(session)
    scans = [plan for plan in plans if plan.startswith("SCAN") and "one_live_callback" not in plan]
    assert plans and not {"registrations", "callbacks", "line_counts"} & {s.split()[1] for s in scans}, plans


def test_wall_screen_sees_the_wallboard_alone(settings: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session)
        user.role = Role.SUPERVISOR
        cookie = sign_ins.sign_in(session, user)
    with TestClient(create(settings)) as page:
        page.cookies.set(COOKIE, cookie, domain="testserver.local")
        assert page.post("/api/v1/wallboard/screen").status_code == 204
        page.delete("/api/v1/session")
        assert page.cookies.get(COOKIE) is None and page.cookies.get(WALL_COOKIE)
        shown = page.get("/api/v1/wallboard")
        assert shown.status_code == 200 and shown.json()["health"]["database"] == "up"
        for path in ("me", "rounds", "callbacks/1", "audit"):
            assert page.get(f"/api/v1/{path}").json()["code"] == "not-signed-in"
        with writing(engine) as session:
            wallboard_screens.take_down(session, who=user.username)
        assert page.get("/api/v1/wallboard").status_code == 401
    with reading(engine) as session:
        did = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert did == ["wall-hung", "signed-out", "walls-taken-down"]


def test_screen_expires_after_half_a_year(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = wallboard_screens.add_screen(session, who="somebody")
    assert (
        wallboard_screens.is_screen(session, cookie)
        and not wallboard_screens.is_screen(session, "")
        and not wallboard_screens.is_screen(session, "x")
    )
    later = now(session) + wallboard_screens.LENGTH
    monkeypatch.setattr(wallboard_screens, "now", lambda _session: later)
    assert not wallboard_screens.is_screen(session, cookie)
