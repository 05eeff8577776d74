"""The dialer calls land lines whose requests are said to be solved: by all calls' caps, never at night."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import PlacedCall, SolvedCall
from hotline.clock import CITY
from hotline.requests import work
from settings import QuietHours, Settings
from tests import factories as make
from tests.dialer.office import LONG_AGO, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

NUMBER = "+983132221234"


def solved(office: Office, number: str = NUMBER) -> None:
    with writing(office.engine) as session:
        work.reply(session, make.a_request(session, number=number), who="u", reply="ترمیم شد")


def call(office: Office) -> SolvedCall:
    with reading(office.engine) as session:
        return session.scalars(select(SolvedCall)).one()


def test_given_a_land_line_when_its_request_is_called_solved_then_it_is_called_once(
    office: Office, manager: FakeManager
) -> None:
    solved(office)
    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()
    (placed,) = manager.named("Originate")
    assert placed["Channel"] == f"Local/{NUMBER}@dial/n"
    assert (placed["ChannelId"], placed["Context"], placed["Exten"]) == (call(office).token, "solved", "s")


@pytest.mark.parametrize("end", ["not answered", "hung up"])
def test_given_a_call_that_reached_nobody_when_it_is_over_then_it_is_due_again_later(
    office: Office, manager: FakeManager, end: str
) -> None:
    solved(office)
    office.until(lambda: manager.named("Originate"))
    token = call(office).token or ""
    if end == "hung up":
        manager.hangs_up(token)
    else:
        manager.refuses(token, 480)
    office.until(lambda: call(office).token is None)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1
    with reading(office.engine) as session:
        assert call(office).due_at > now(session) + timedelta(hours=2)
        assert call(office).ended_at is None


@on_sqlite
def test_given_an_asterisk_that_refuses_when_asked_then_no_try_is_lost(
    office: Office, manager: FakeManager
) -> None:
    manager.refused = {"Originate": "Permission denied"}
    solved(office)
    office.until(lambda: manager.named("Originate"))
    office.until(lambda: call(office).token is None)
    assert (call(office).tries, call(office).ended_at) == (0, None)


@on_sqlite
def test_given_a_number_that_may_not_be_called_when_due_then_no_phone_ever_rings(
    office: Office, manager: FakeManager
) -> None:
    solved(office, "+441632960961")
    office.until(lambda: call(office).ended_at)
    office.until_at_rest()
    assert manager.named("Originate") == []


@on_sqlite
def test_given_a_number_that_was_called_too_often_when_due_then_it_is_called_later(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    with writing(office.engine) as session:
        at = now(session) - LONG_AGO
        for which in range(settings.calls_per_number):
            session.add(PlacedCall(token=f"callback-{which}", number=NUMBER, at=at, ended_at=at))
    solved(office)
    before = call(office).due_at
    office.until(lambda: call(office).due_at > before)
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert (call(office).tries, call(office).ended_at) == (0, None)


@on_sqlite
def test_given_the_quiet_hours_when_a_call_is_due_then_nobody_is_woken(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    with reading(office.engine) as session:
        local = now(session).astimezone(CITY)
    begin, end = ((local + timedelta(hours=hours)).time() for hours in (-1, 1))
    office._settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    office.restart()
    solved(office)
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert call(office).tries == 0
