"""The other choices of a citizen on the phone: follow up, report a problem, ask for an operator."""

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update

from db.engine import reading, writing
from db.models import CallerNow, Incoming, LeftOutcome, OutboundCall, Registration, Request
from db.states import RegistrationState
from dialplan.variables import CALLERS_ADMITTED
from hotline.reports import call_counts
from hotline.rounds import phases
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.sipp import SippPhone
from tests.kit.system import System

WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def _operators_line(system: System) -> int:
    with writing(system.engine) as session:
        return phases.get_operators_line(session).id


def _in_line(system: System, round_id: int, number: str) -> Registration | None:
    found = [r for r in system.registrations(round_id) if r.number == "+98" + number[-10:]]
    return found[0] if found else None


def test_follow_up_call_cancels_the_place(
    system: System,
) -> None:
    number = system.number()
    with system.only_round() as round_id, Caller(system, number, port=system.trunk_port) as caller:
        system.register(round_id, number)
        caller.call()
        caller.at("greeting", "2")
        caller.at("active-registration")
        caller.at("status-waiting")
        caller.at("ahead-none")
        caller.at("follow-up-menu", "2")
        caller.at("cancel-confirm", "5")
        caller.at("cancel-call-soon")
        caller.hangup()
        caller.wait_for_call()
        caller.answer()
        caller.at("confirm-cancel-press-one", "1")
        caller.at("cancelled-now")
        caller.hangup()

        [registration] = system.registrations(round_id)
        assert registration.state is RegistrationState.CANCELLED


def test_reported_problem_is_recorded_under_its_number(system: System, tone: Path) -> None:
    number = system.number()
    with Caller(system, number, sound=tone) as caller:
        caller.call()
        caller.at("greeting", "3")
        caller.at("report-category", "4")
        caller.at("report-district", "12#")
        caller.at("beep")
        time.sleep(2)
        caller.press("#")
        caller.at("report-review", "1")
        caller.at("report-recorded-again")
        caller.hangup()
        spoken = caller.said({"report-recorded"}).digits("report-recorded.1")

    with reading(system.engine) as session:
        request = session.scalars(select(Request).where(Request.number == "+98" + number[1:])).one()
    assert (request.tracking, request.category, request.district) == (spoken, 4, 12)
    voice_message = sound.load(system.settings.messages_dir / request.voice_message)
    assert sound.tone_level(voice_message, 440) > 0.9


def test_key_0_without_waiting_leads_to_a_callback(
    system: System,
) -> None:
    number = system.number()
    operator = system.operator()
    with Caller(system, number) as caller:
        caller.call()
        caller.at("greeting", "0")
        caller.at("operator-choice", "2")
        caller.at("operator-registered")
        caller.hangup()

    line = _operators_line(system)
    registration = _in_line(system, line, number)
    assert registration is not None
    callback = operator.claim(line)
    assert system.callback(callback).registration_id == registration.id
    operator.returned(callback)


def test_keyed_in_number_is_confirmed_by_a_call(
    system: System,
) -> None:
    number = system.number()
    with (
        system.only_round() as round_id,
        Caller(system, "anonymous") as caller,
        Caller(system, number, port=system.trunk_port) as owner,
    ):
        caller.call()
        caller.at("greeting", "1")
        caller.at("ask-number", f"{number}#")
        caller.at("confirm-number", "1")
        caller.at("number-will-be-confirmed")
        caller.hangup()
        unconfirmed = _in_line(system, round_id, number)
        assert unconfirmed is not None
        assert unconfirmed.state is RegistrationState.UNCONFIRMED

        owner.wait_for_call()
        owner.answer()
        owner.at("confirm-call-intro")
        owner.at("confirm-call-press-one", "1")
        owner.at("confirm-call-done")
        registration = _in_line(system, round_id, number)
        assert registration is not None
        assert registration.state is RegistrationState.WAITING


def test_silent_withheld_caller_who_keys_a_number_in_is_in_line(system: System) -> None:
    number = system.number()
    line = _operators_line(system)
    with Caller(system, "anonymous") as caller, Caller(system, number, port=system.trunk_port) as owner:
        caller.call()
        caller.at("main-menu-slow")
        caller.at("ask-number", f"{number}#")
        caller.at("confirm-number", "1")
        caller.at("number-will-be-confirmed")
        caller.hangup()
        owner.wait_for_call()
        owner.answer()
        owner.at("confirm-call-press-one", "1")
        owner.at("confirm-call-done")
        owner.hangup()
    place = _in_line(system, line, number)
    assert place and place.state is RegistrationState.WAITING


def test_asserted_number_of_the_network_overrides_the_callers(
    system: System,
) -> None:
    line = _operators_line(system)
    pretended, true, withheld = system.number(), system.number(), system.number()
    options = {"keys": "011", "keys_after_ms": 2500}
    calls = (
        {"caller": f"<sip:{pretended}@127.0.0.1>", "identity": f"<sip:+98{true[1:]}@carrier>"},
        {"caller": WITHHELD, "identity": f"<tel:+98{withheld[1:]}>"},
    )
    first, second = (SippPhone.calling(str(system.settings.sip), **call, **options) for call in calls)
    with first, second:
        for number in (true, withheld):
            until(lambda number=number: _in_line(system, line, number), f"{number} is in the line")

    assert _in_line(system, line, pretended) is None


def test_caller_above_the_limit_hears_that_lines_are_full() -> None:
    with System(HOTLINE_MAX_CALLS="2") as system:
        target = str(system.settings.sip)
        with (
            Caller(system, system.number()) as leaves,
            Caller(system, system.number()) as refused,
            Caller(system, system.number()) as next_one,
            SippPhone.calling(target, system.number()) as stays,
        ):
            leaves.call()
            until(lambda: system.log().count("menu begins") == 2, "both lines are taken")
            refused.call()
            refused.at("lines-full-offer-until")
            leaves.hangup()
            until(lambda: not system.channels_of(leaves.number), "a line is free")
            next_one.call()  # though the refused one still listens
            next_one.at("greeting")
            refused.wait_for("closed", timeout=40)
            assert "greeting" not in refused.said().prompts
            assert not stays.calls("BYE")
        admitted = system.settings.state_dir / CALLERS_ADMITTED
        with Caller(system, system.number()) as late, Caller(system, system.number()) as let_in:
            admitted.write_text("0")  # as while answers are late
            late.call()
            late.at("lines-full-offer-until")
            admitted.write_text("60")
            let_in.call()
            let_in.at("greeting")
        counted = {Incoming.ANSWERED: 4, Incoming.TURNED_AWAY: 2}
        until(lambda: _incoming(system) == counted, "each call is counted")


def test_key_1_on_full_lines_leads_to_a_callback() -> None:
    with System(HOTLINE_MAX_CALLS="2") as system:
        number = system.number()
        with (
            Caller(system, system.number()) as stays,
            SippPhone.calling(str(system.settings.sip), system.number()) as leaves,
        ):
            stays.call()
            until(lambda: system.log().count("menu begins") == 2, "both lines are taken")
            with Caller(system, number) as refused:
                refused.call()
                refused.at("lines-busy", "1")  # by heart: the menu is meant
                refused.at("lines-full-offer-until", "1")
                refused.at("left-number-kept")
                refused.wait_for("closed", timeout=40)
            left = _left(system)
            assert (left.number, left.attempts, left.ended_at) == (f"+98{number[1:]}", 0, None)
            with writing(system.engine) as session:  # the caller has hung up long ago
                session.execute(update(OutboundCall).values(due_at=OutboundCall.asked_at))
            with Caller(system, number, port=system.trunk_port) as called:
                until(lambda: _on_the_line(system) == 2, "both are written down")
                stays.hangup()
                called.wait_for_call()
                called.answer()
                called.at("left-call-intro")
                called.at("left-call-question", "1")
                called.at("greeting", "0")
                called.at("operator-choice", "2")
                called.at("operator-registered")
                called.hangup()
            assert not leaves.calls("BYE")
        until(lambda: _left(system).ended_at, "the call is over")
        assert (_left(system).answer, _left(system).attempts) == (LeftOutcome.REACHED, 1)
        assert _in_line(system, _operators_line(system), number) is not None
        counted = {Incoming.ANSWERED: 2, Incoming.TURNED_AWAY: 1}
        until(lambda: _incoming(system) == counted, "each call is counted, and who left the number once")


def _left(system: System) -> OutboundCall:
    with reading(system.engine) as session:
        return session.scalars(select(OutboundCall)).one()


def _on_the_line(system: System) -> int:
    with reading(system.engine) as session:
        return session.scalar(select(func.count()).select_from(CallerNow)) or 0


def _incoming(system: System) -> Counter[Incoming]:
    with reading(system.engine) as session:
        hours = call_counts.count_by_hour(session, datetime(2026, 1, 1, tzinfo=UTC)).values()
    return sum((Counter(hour) for hour in hours), Counter())
