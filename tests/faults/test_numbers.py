"""Numbers that are not the caller's, with real phones: only the owner of a number hears anything of it."""

from sqlalchemy import select

from db.engine import reading
from db.models import Confirmation, Registration
from db.states import RegistrationState
from tests.kit.caller import Caller
from tests.kit.system import System


def _keys_in(caller: Caller, number: str) -> None:
    caller.call()
    caller.at("greeting", "1")
    caller.at("confirm-number", "2")
    caller.at("ask-number", f"{number}#")
    caller.at("confirm-number", "1")


def _only(system: System, round_id: int) -> Registration:
    [registration] = system.registrations(round_id)
    return registration


def test_only_the_owner_of_a_keyed_in_number_hears_the_ticket(
    system: System,
) -> None:
    number = system.number()
    with (
        system.only_round() as round_id,
        Caller(system, system.number()) as stranger,
        Caller(system, number, port=system.trunk_port) as owner,
    ):
        _keys_in(stranger, number)
        stranger.at("number-will-be-confirmed")
        assert owner.calls == [], "the stranger still listens"
        assert _only(system, round_id).state is RegistrationState.UNCONFIRMED
        stranger.at("goodbye")
        stranger.wait_for("closed")

        owner.wait_for_call()
        owner.answer()
        owner.at("confirm-call-press-one", "1")
        owner.at("confirm-call-done")
        owner.at("ahead-none")
        place = _only(system, round_id)
        owner.at("confirm-call-goodbye")
        owner.wait_for("closed")
        stranger_heard = stranger.said({"number-will-be-confirmed", "goodbye"})
        owner_heard = owner.said({"confirm-call-done"})

    assert place.state is RegistrationState.WAITING
    assert owner_heard.digits("confirm-call-done.1") == place.ticket
    assert not {"registered", "already-registered", "ticket-again"} & set(stranger_heard.prompts)
    assert stranger_heard.prompts[-2:] == ["number-will-be-confirmed", "goodbye"]


def test_fourth_keyed_in_number_is_refused(
    system: System,
) -> None:
    number = system.number()
    with system.only_round() as round_id, Caller(system, number) as caller:
        for _ in range(3):
            system.keys_in(round_id, system.number(), by=number)
        _keys_in(caller, system.number())
        caller.at("too-many-today")
        caller.hangup()
        with reading(system.engine) as session:
            asked = select(Confirmation).where(Confirmation.asked_by == "+98" + number[1:])
            confirmations = session.scalars(asked).all()

    assert len(confirmations) == 3


def test_cancelling_is_decided_by_the_call_to_the_owner(
    system: System,
) -> None:
    number = system.number()
    with system.only_round() as round_id, Caller(system, number, port=system.trunk_port) as owner:
        system.register(round_id, number)
        owner.call()
        owner.at("greeting", "2")
        owner.at("follow-up-menu", "2")
        owner.at("cancel-confirm", "5")
        owner.at("cancel-call-soon")
        assert _only(system, round_id).state is RegistrationState.WAITING
        owner.hangup()

        owner.wait_for_call()
        owner.answer()
        owner.at("confirm-cancel-press-one", "1")
        owner.at("cancelled-now")
        assert _only(system, round_id).state is RegistrationState.CANCELLED


def test_agreed_other_number_takes_over_the_place(
    system: System,
) -> None:
    old, new = system.number(), system.number()
    with system.only_round() as round_id:
        system.register(round_id, old)
        ticket = _only(system, round_id).ticket
        with Caller(system, old, port=system.trunk_port) as owner:
            owner.call()
            owner.at("greeting", "2")
            owner.at("follow-up-menu", "3")
            owner.at("ask-number", f"{new}#")
            owner.at("confirm-number", "1")
            owner.at("change-call-soon")
            owner.hangup()
            owner.wait_for_call()
            owner.answer()
            owner.at("confirm-move-press-one", "1")
            owner.at("change-number-asked")
        assert _only(system, round_id).number == "+98" + old[1:]

        with Caller(system, new, port=system.trunk_port) as other:
            other.wait_for_call()
            other.answer()
            other.at("confirm-number-intro")
            other.at("confirm-call-press-one", "1")
            other.at("confirm-number-done")
            place = _only(system, round_id)

    assert (place.number, place.ticket) == ("+98" + new[1:], ticket)
