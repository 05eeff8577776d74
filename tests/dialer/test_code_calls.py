"""The dialer calls those who want their code for signing in spoken: once, by the caps of all calls."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import BlockReason, CitizenCode, CodeWay, PlacedCall
from hotline.citizens import code_calls, codes
from hotline.clock import CITY
from hotline.line import blocked
from settings import QuietHours, Settings
from tests import factories as make
from tests.dialer.office import LONG_AGO, Office, on_sqlite
from tests.kit.fake_manager import FakeManager


def asked(office: Office, settings: Settings, number: str = "") -> int:
    with writing(office.engine) as session:
        return codes.ask(
            session, number or make.a_number(), CodeWay.CALL, "fa", settings, browser=make.BROWSER
        ).id


def code(office: Office, id_: int) -> CitizenCode:
    with reading(office.engine) as session:
        return session.get_one(CitizenCode, id_)


def test_given_a_code_to_be_spoken_when_placed_then_it_is_called_once_with_a_token_of_its_own(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    id_ = asked(office, settings, "+989131234567")
    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()
    (placed,) = manager.named("Originate")
    token = code(office, id_).token
    assert placed["Channel"] == "Local/+989131234567@dial/n"
    assert (placed["ChannelId"], placed["Context"], placed["Exten"]) == (token, "sign-in-code", "s")


@pytest.mark.parametrize("end", ["not answered", "hung up"])
def test_given_a_call_that_is_over_when_looked_again_then_there_is_no_second_one(
    office: Office, manager: FakeManager, settings: Settings, end: str
) -> None:
    id_ = asked(office, settings)
    office.until(lambda: manager.named("Originate"))
    token = code(office, id_).token or ""
    if end == "hung up":
        manager.hangs_up(token)
    else:
        manager.refuses(token, 480)
    office.until(lambda: code(office, id_).token is None)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1
    with reading(office.engine) as session:
        assert session.scalars(select(PlacedCall.ended_at)).one()


@on_sqlite
@pytest.mark.parametrize("why", ["blocked", "too late", "replaced", "sms", "did not ask last time"])
def test_given_who_is_not_to_be_called_when_looked_then_no_phone_rings(
    office: Office, manager: FakeManager, settings: Settings, why: str
) -> None:
    number = make.a_number()
    with writing(office.engine) as session:
        if why == "blocked":
            blocked.block(session, number, BlockReason.OWNER)
        sent = settings.model_copy(update={"sms_provider": "console"})
        way = CodeWay.SMS if why == "sms" else CodeWay.CALL
        if why == "did not ask last time":
            placed = code_calls.take_up(
                session, codes.ask(session, number, way, "fa", sent, browser=make.BROWSER).id
            )
            assert placed and placed.token
            code_calls.decline(session, placed.token)
            code_calls.ended(session, placed.token)
        asked_for = codes.ask(session, number, way, "fa", sent, browser=make.BROWSER)
        if why == "too late":
            asked_for.expires_at -= LONG_AGO / 2 + LONG_AGO / 4
        if why == "replaced":
            asked_for.ended_at = now(session)
    office.until_at_rest()
    assert manager.named("Originate") == []


@on_sqlite
def test_given_a_number_that_was_called_too_often_when_a_code_is_asked_for_then_its_phone_stays_still(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    number = make.a_number()
    with writing(office.engine) as session:
        at = now(session) - LONG_AGO
        for which in range(settings.calls_per_number // 2):
            session.add(PlacedCall(token=f"callback-{which}", number=number, at=at, ended_at=at))
    id_ = asked(office, settings, number)
    office.until(lambda: code(office, id_).placed_at)
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert code(office, id_).token is None


@on_sqlite
def test_given_an_asterisk_that_refuses_when_asked_then_the_call_is_over(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    manager.refused = {"Originate": "Permission denied"}
    id_ = asked(office, settings)
    office.until(lambda: manager.named("Originate"))
    office.until(lambda: code(office, id_).token is None)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1


@on_sqlite
def test_given_a_call_asked_for_just_before_the_quiet_hours_when_they_begin_then_nobody_is_woken(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    with reading(office.engine) as session:
        local = now(session).astimezone(CITY)
    begin, end = ((local + timedelta(hours=hours)).time() for hours in (-1, 1))
    office._settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    office.restart()
    id_ = asked(office, settings)
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert code(office, id_).placed_at is None
