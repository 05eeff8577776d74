"""The dialer calls those who left their number when all lines were full: once lines are free, not before."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.engine import now, reading, writing
from db.models import CallerNow, LeftOutcome, Node, OutboundCall, PlacedCall
from dialplan.variables import CALLERS_ADMITTED
from hotline import heartbeats
from hotline.clock import CITY
from hotline.nodes import leases
from hotline.outbound import overflow, queue
from hotline.rounds import phases
from hotline.trunk import circuit_breaker
from settings import QuietHours, Settings
from tests import factories as make
from tests.dialer.office import Office, on_sqlite
from tests.kit.databases import in_both
from tests.kit.fake_manager import FakeManager

NUMBER = "+989131234567"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.caller_lines._EVERY_S", 0.0)
    monkeypatch.setattr("dialer.caller_lines.ADMITTED_S", 3600)


def admit(settings: Settings, callers: int | None = None) -> None:
    """The call scripts let so many in: all, where nothing is said."""
    number = settings.callers_at_once if callers is None else callers
    file = settings.state_dir / CALLERS_ADMITTED
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(number))


def leave(office: Office, settings: Settings, *numbers: str) -> None:
    for number in numbers or (NUMBER,):
        with writing(office.engine) as session:
            overflow.keep(session, number, settings)
            session.execute(update(OutboundCall).values(due_at=now(session) - timedelta(seconds=1)))


def left(office: Office) -> OutboundCall:
    with reading(office.engine) as session:
        return session.scalars(select(OutboundCall)).one()


def called(manager: FakeManager) -> list[str]:
    return [placed["Channel"] for placed in manager.named("Originate")]


def test_left_numbers_are_called_in_order(office: Office, manager: FakeManager, settings: Settings) -> None:
    admit(settings)
    numbers = [make.a_number() for _ in range(3)]
    leave(office, settings, *numbers)
    office.until(lambda: len(called(manager)) == 3)
    office.until_at_rest()
    office.restart()
    office.until_at_rest()
    assert called(manager) == [f"Local/{number}@dial/n" for number in numbers]
    assert {(p["Context"], p["Exten"]) for p in manager.named("Originate")} == {("outbound", "left-number")}


@pytest.mark.parametrize("pressed", [None, LeftOutcome.UNREACHED, LeftOutcome.REACHED, LeftOutcome.REFUSED])
def test_apology_costs_an_attempt(
    office: Office, manager: FakeManager, settings: Settings, pressed: LeftOutcome | None
) -> None:
    admit(settings)
    leave(office, settings)
    for calls in (1, 2):
        office.until(lambda calls=calls: len(called(manager)) == calls)
        token = left(office).token or ""
        if pressed:
            with writing(office.engine) as session:
                queue.answer(session, token, None if pressed is LeftOutcome.UNREACHED else pressed)
        manager.stage(token, "failed")
        office.until(lambda: left(office).token is None)
        manager.hangs_up(token)
        office.until_at_rest()
        row = left(office)
        if pressed in (LeftOutcome.REACHED, LeftOutcome.REFUSED):
            assert row.ended_at and row.answer == pressed
            return
        with writing(office.engine) as session:
            assert bool(row.ended_at) is (calls == 2), "another call, and no third"
            assert calls == 2 or row.due_at > now(session) + make.MINUTE, "but not at once"
            session.execute(update(OutboundCall).values(due_at=OutboundCall.asked_at))
            circuit_breaker.record_success(session, circuit_breaker.SCRIPTS, "")
    assert left(office).ended_at and not left(office).answer


@on_sqlite
@pytest.mark.parametrize("why", ["answers are late", "no call scripts", "old", "full", "at night"])
def test_busy_lines_hold_calls_back(
    office: Office, manager: FakeManager, settings: Settings, why: str
) -> None:
    few = settings.model_copy(update={"max_calls": 2})
    office._settings = few
    admit(few)
    if why == "answers are late":
        admit(few, 1)
    elif why == "no call scripts":
        (settings.state_dir / CALLERS_ADMITTED).unlink()
    elif why == "old":
        os.utime(settings.state_dir / CALLERS_ADMITTED, (0, 0))
    elif why == "full":
        with writing(office.engine) as session:
            for n in range(2):
                session.add(CallerNow(channel=f"1.{n}", number="", since=now(session)))
            heartbeats.beat(session, "ivr")
    else:
        with reading(office.engine) as session:
            local = now(session).astimezone(CITY)
        hours = ((local + timedelta(hours=more)).time() for more in (-1, 1))
        office._settings = few.model_copy(update={"quiet_hours": QuietHours(*hours)})
    office.restart()
    leave(office, settings)
    office.until_at_rest()
    assert called(manager) == []
    assert left(office).attempts == 0

    admit(few)
    with writing(office.engine) as session:
        caller = session.get(CallerNow, "1.0")
        if caller:
            session.delete(caller)
    office._settings = few
    office.restart()
    office.until(lambda: called(manager))


@on_sqlite
def test_ringing_calls_leave_one_line_free(office: Office, manager: FakeManager, settings: Settings) -> None:
    office._settings = few = settings.model_copy(update={"max_calls": 5})
    office.restart()
    admit(few)
    leave(office, settings, *(make.a_number() for _ in range(6)))
    office.until(lambda: len(called(manager)) == 4)
    office.until_at_rest()
    assert len(called(manager)) == 4


@on_sqlite
def test_other_node_that_leads_makes_the_calls(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    admit(settings)
    office._dialer._leads = lambda: False
    leave(office, settings)
    office.until_at_rest()
    assert called(manager) == []
    office._dialer._leads = lambda: True
    office.until(lambda: called(manager))


def line_lives_on(office: Office, settings: Settings, home: str | None) -> None:
    """Two nodes are alive, and the operators' line is on this one."""
    with writing(office.engine) as session:
        for name in ("main", "two"):
            leases.take(session, settings.model_copy(update={"node": name}))
        phases.get_operators_line(session).node = home


def works_as(office: Office, settings: Settings, node: str, *, leads: bool) -> None:
    """From here on the dialer at work is this node's."""
    office._settings = settings.model_copy(update={"node": node})
    office.restart()
    office._dialer._leads = lambda: leads


@in_both
def test_leading_node_replaces_the_lost_operators_line(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    admit(settings)
    line_lives_on(office, settings, "two")
    leave(office, settings)
    office.until_at_rest()
    assert called(manager) == []
    with writing(office.engine) as session:
        session.execute(update(Node).where(Node.name == "two").values(lease_until=now(session)))
    office.until(lambda: called(manager))


@in_both
def test_calls_follow_the_operators_line(office: Office, manager: FakeManager, settings: Settings) -> None:
    admit(settings)
    first, second, third = (make.a_number() for _ in range(3))
    works_as(office, settings, "main", leads=False)
    line_lives_on(office, settings, "main")
    leave(office, settings, first)
    office.until(lambda: len(called(manager)) == 1)

    line_lives_on(office, settings, "two")
    leave(office, settings, second)
    office.until_at_rest()
    works_as(office, settings, "main", leads=True)
    office.until_at_rest()
    assert len(called(manager)) == 1

    works_as(office, settings, "two", leads=False)
    office.until(lambda: len(called(manager)) == 2)
    line_lives_on(office, settings, None)
    leave(office, settings, third)
    office.until_at_rest()
    assert len(called(manager)) == 2
    works_as(office, settings, "main", leads=True)
    office.until(lambda: len(called(manager)) == 3)
    office.until_at_rest()
    assert called(manager) == [f"Local/{number}@dial/n" for number in (first, second, third)]
    with reading(office.engine) as session:
        placed = select(PlacedCall.number, PlacedCall.node)
        nodes = {number: node for number, node in session.execute(placed)}
        assert nodes == {first: "main", second: "two", third: "main"}


@on_sqlite
def test_second_call_follows_a_moment_later(
    office: Office, manager: FakeManager, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.caller_lines._EVERY_S", 3600.0)
    admit(settings)
    leave(office, settings, make.a_number(), make.a_number())
    office.until(lambda: called(manager))
    office.until_at_rest()
    assert len(called(manager)) == 1
    office._dialer._outbound_calls._caller_lines._next_at = 0.0
    office.until(lambda: len(called(manager)) == 2)
