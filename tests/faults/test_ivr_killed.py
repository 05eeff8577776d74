"""ivr is killed, or hangs, in calls: ten callers end with their ticket; whom we call is asked once."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import reading, writing
from db.models import Confirmation, OutboundCall, Registration, Request
from db.states import RegistrationState
from dialplan.variables import CALLERS_ADMITTED, HUNG_S
from hotline.line import confirmation_calls, confirmations
from hotline.outbound import heads_up
from hotline.recordings import voice_messages
from hotline.rounds import phases
from hotline.trunk import call_caps
from tests import factories as make
from tests.kit.caller import Caller
from tests.kit.process import slowness, until
from tests.kit.system import System

STEPS = [("greeting", "1"), ("confirm-number", "1"), ("ask-subject", "1"), ("message-offer", "#")]
"""The prompts and keys of a citizen; the ticket is spoken before the third."""
SPEAKS_S = 3.0
"""Real time: what is said is real sound, and its length is looked at."""
CALLERS = 10
ANOTHER_S = 15.0
"""From the moment it hangs until another one answers, on a machine with nothing else to do."""


def _until_the_step(caller: Caller, step: int) -> None:
    """Go through the menu until the question of this step is heard, and leave it open."""
    caller.call()
    for number, (prompt, key) in enumerate(STEPS[: step + 1]):
        caller.at(prompt, key if number < step else "")


def _reach_the_steps(steps: dict[Caller, int], at_once: ThreadPoolExecutor) -> None:
    """Leave all with the question of their step open at one time: none waits long for its answer."""
    subject, message = 2, 3
    first = [caller for caller, step in steps.items() if step >= subject]
    list(at_once.map(_until_the_step, first, [subject] * len(first)))
    then = {caller: step for caller, step in steps.items() if step < subject}
    list(at_once.map(_until_the_step, then, then.values()))
    last = [caller for caller, step in steps.items() if step == message]
    for caller in last:
        caller.press(STEPS[subject][1])
    list(at_once.map(lambda caller: caller.at(STEPS[message][0]), last))


def _to_the_ticket(caller: Caller) -> str:
    """Go on from wherever the call goes on; the ticket that is told."""
    caller.at("one-moment", timeout=60)
    went_on = caller.listened
    if caller.either("main-menu", "registered") == "main-menu":
        caller.press("1")
        caller.at("confirm-number", "1")
        caller.at("registered")
    caller.at("ticket-again")  # the first time is over
    caller.hangup()
    return caller.said({"registered"}, since=went_on).digits("registered.1")


def _another_answers(system: System, dead: int) -> bool:
    try:
        return system.pid("ivr") != dead and system.answers_calls()
    except LookupError:
        return False


def _subjects(system: System, round_id: int) -> list[int]:
    return [place.subject for place in system.registrations(round_id) if place.subject]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_failed_ivr_still_gives_ten_callers_their_ticket(system: System, fault: signal.Signals) -> None:
    with system.only_round() as round_id, ExitStack() as phones, ThreadPoolExecutor(CALLERS) as at_once:
        callers = [phones.enter_context(Caller(system, system.number())) for _ in range(CALLERS)]
        steps = [number % len(STEPS) for number in range(CALLERS)]
        _reach_the_steps(dict(zip(callers, steps, strict=True)), at_once)
        dead, since = system.pid("ivr"), time.monotonic()
        os.kill(dead, fault)
        telling = [at_once.submit(_to_the_ticket, caller) for caller in callers]
        until(lambda: _another_answers(system, dead), "another ivr answers", 2 * ANOTHER_S)
        took = time.monotonic() - since
        assert took <= ANOTHER_S * slowness()
        told = {caller: each.result() for caller, each in zip(callers, telling, strict=True)}
        until(lambda: _subjects(system, round_id) == [1] * steps.count(3), "what was chosen is kept")
        kept = {registration.number: registration.ticket for registration in system.registrations(round_id)}

    assert {"+98" + caller.number[1:]: ticket for caller, ticket in told.items()} == kept
    assert len(kept) == CALLERS


def _reported(system: System, number: str) -> list[Request]:
    with reading(system.engine) as session:
        return list(session.scalars(select(Request).where(Request.number == "+98" + number[1:])))


def _speak_of_a_problem(caller: Caller) -> None:
    """Speak of a problem of category 4 in district 12; the recording goes on."""
    caller.call()
    caller.at("greeting", "3")
    caller.at("report-category", "4")
    caller.at("report-district", "12#")
    caller.at("beep")
    time.sleep(SPEAKS_S)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", ["beep", "report-review"])
def test_killed_ivr_keeps_the_request_and_speaks_its_number(system: System, tone: Path, moment: str) -> None:
    with system.only_round(), Caller(system, system.number(), sound=tone) as caller:
        _speak_of_a_problem(caller)
        if moment == "report-review":
            caller.press("#")
            caller.at(moment)
        system.kill("ivr")
        if moment == "beep":
            time.sleep(SPEAKS_S)
            caller.press("#")
        caller.at("one-moment", timeout=60)
        went_on = caller.listened
        caller.at("report-recorded", timeout=60)
        caller.at("report-recorded-again")
        caller.hangup()
        tracking = caller.said({"report-recorded"}, since=went_on).digits("report-recorded.1")
    (request,) = _reported(system, caller.number)
    assert (request.category, request.district, request.tracking) == (4, 12, tracking)
    spoke_s = voice_messages.measure_seconds(system.settings.messages_dir / str(request.voice_message))
    assert spoke_s >= SPEAKS_S * (2 if moment == "beep" else 1)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("hears", ["beep", "one-moment"])
def test_hang_up_after_a_killed_ivr_still_sends_the_request(system: System, tone: Path, hears: str) -> None:
    with system.only_round(), Caller(system, system.number(), sound=tone) as caller:
        _speak_of_a_problem(caller)
        system.kill("ivr")
        if hears == "one-moment":
            caller.press("#")
            caller.at(hears)
        caller.hangup()
        until(lambda: _reported(system, caller.number), "it is sent")
    (request,) = _reported(system, caller.number)
    assert (request.category, request.district) == (4, 12)
    assert (
        voice_messages.measure_seconds(system.settings.messages_dir / str(request.voice_message)) >= SPEAKS_S
    )


def test_caller_of_hung_scripts_hears_an_announcement_at_once(
    system: System,
) -> None:
    stopped, said = (system.keeper, system.pid("ivr")), system.settings.state_dir / CALLERS_ADMITTED
    until(lambda: time.time() - said.stat().st_mtime < HUNG_S, "they say that they work")
    with system.only_round(), Caller(system, system.number()) as caller, ExitStack() as going_on:
        for each in stopped:  # so that nobody ends it
            going_on.callback(os.kill, each, signal.SIGCONT)
            os.kill(each, signal.SIGSTOP)
        until(lambda: time.time() - said.stat().st_mtime > HUNG_S + 1, "it has been silent for a while")
        caller.call()
        caller.at("one-moment")
        going_on.close()
        caller.at("greeting")
        caller.hangup()


def test_key_pressed_while_ivr_stalls_is_counted(
    system: System,
) -> None:
    with system.only_round(), Caller(system, system.number()) as caller, ExitStack() as going_on:
        caller.call()
        caller.at("greeting", "1")
        caller.at("confirm-number")  # its first clip takes 0.7 s, and each of the digits after it 0.4 s
        ivr, begun = system.pid("ivr"), caller.listened
        going_on.callback(os.kill, ivr, signal.SIGCONT)
        os.kill(ivr, signal.SIGSTOP)
        caller.wait_for_sound(begun + 1)
        caller.press("1")
        time.sleep(0.5)  # until it has come; nothing tells of it
        going_on.close()
        caller.at("registered")
        caller.hangup()


def _answered(system: System, table: type[Confirmation] | type[OutboundCall]) -> bool:
    """Whether the key of the one such call is kept."""
    with reading(system.engine) as session:
        call = session.scalars(select(table).where(table.token.is_not(None))).one()
        return (call.agreed if isinstance(call, Confirmation) else call.answer) is not None


@pytest.mark.parametrize(
    ("table", "question", "told"),
    [
        (Confirmation, "confirm-call-press-one", "confirm-call-done"),
        (OutboundCall, "near-call-question", "near-call-reachable"),
    ],
    ids=["confirmation", "near-call"],
)
def test_killed_ivr_apologises_and_calls_no_second_time(
    system: System, table: type[Confirmation] | type[OutboundCall], question: str, told: str
) -> None:
    number = system.number()
    with (
        system.only_round() as round_id,
        Caller(system, number, port=system.trunk_port) as citizen,
    ):
        if table is Confirmation:
            _is_keyed_in(system, round_id, number)
        else:
            _comes_near(system, round_id, number)
        citizen.wait_for_call(timeout=90)
        citizen.answer()
        citizen.at(question, "1")
        until(lambda: _answered(system, table), "the key is kept")
        system.kill("ivr")
        citizen.at("one-moment", timeout=60)
        assert citizen.either(told, question) == told, "who has answered is not asked again"
        citizen.hangup()
        system.wait_healthy()
        until(lambda: not _on_the_phone(system), "the call is over")
        with writing(system.engine) as session:
            place = session.scalars(
                select(Registration).where(Registration.number == "+98" + number[1:])
            ).one()
            heads_up.tell(
                session, system.settings.turn_near_places, call_beyond=system.settings.call_ahead_most
            )
            assert make.due_heads_up(session) == list(confirmation_calls.list_due(session, 1)) == []
        assert place.state is RegistrationState.WAITING
        assert len(citizen.calls) == 1


def _on_the_phone(system: System) -> bool:
    with reading(system.engine) as session:
        return bool(call_caps.list_open_calls(session))


def _is_keyed_in(system: System, round_id: int, number: str) -> None:
    """Key the number in for a caller who has hung up since."""
    system.keys_in(round_id, number, by=system.number())
    with writing(system.engine) as session:
        asked = session.scalars(select(Confirmation.id).where(Confirmation.number == "+98" + number[1:]))
        confirmations.start_calls_soon(session, asked.all())


def _comes_near(system: System, round_id: int, number: str) -> None:
    """Behind those who are about to be called back."""
    system.register(round_id, *(system.number() for _ in range(system.settings.call_ahead_most)), number)
    with writing(system.engine) as session:
        phases.open_round(session, phases.get(session, round_id))
        heads_up.tell(session, system.settings.turn_near_places, call_beyond=system.settings.call_ahead_most)
