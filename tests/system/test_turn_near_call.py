"""The call before one's turn, on the real Asterisk: who presses 2 is set aside for the next round."""

from db.engine import reading, writing
from db.models import OutboundCall
from db.states import HeadsUpAnswer, RegistrationState
from hotline.outbound import heads_up
from hotline.rounds import phases
from tests import factories as make
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System

FAREWELL_S = 40.0


def test_key_2_in_a_heads_up_call_defers_to_the_next_round(
    system: System,
) -> None:
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as phone,
    ):
        for _ in range(system.settings.call_ahead_most + 1):  # the first are about to be called back
            system.register(round_id, system.number())
        with writing(system.engine) as session:
            phases.open_round(session, phases.get(session, round_id))
            heads_up.tell(session, 5, call_beyond=system.settings.call_ahead_most)
        registration = system.registrations(round_id)[-1]
        phone.wait_for_call(timeout=30)
        phone.answer()
        phone.at("near-call-question", "2")

        def kept() -> OutboundCall:
            with reading(system.engine) as session:
                return make.heads_up_call(session, registration.id)

        until(lambda: kept().answer == HeadsUpAnswer.NEXT_ROUND, "the key is kept", 40)
        assert system.registrations(round_id)[-1].state is RegistrationState.UNREACHED
        until(lambda: kept().ended_at is not None, "the call is over", FAREWELL_S)
        phone.wait_for("closed")
