"""Script of the heads-up call: the citizen can be reached, or asks for the next round."""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.states import TurnNearAnswer
from hotline.line import turn_near_calls
from hotline.rounds import rounds
from ivr.call import AGIError, Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Record a 1 or 2 before its confirmation; silence changes nothing."""
    token = call.channel_id
    with reading(engine) as session:
        turn_near_call = turn_near_calls.by_token(session, token)
        if turn_near_call is None:
            raise AGIError("a turn-near call that nobody asked for")
        language = turn_near_call.registration.language
        answer = turn_near_call.answer
        office = rounds.speaker(rounds.get(session, turn_near_call.round_id)).clip
    call.speak(language)
    if answer:  # recorded by a script that broke off
        _confirm(call, answer)
        return
    call.say("near-call-intro", office=office)
    later = call.ask("near-call-question", keys="12", tries=2) == "2"
    with call.working(), writing(engine) as session:
        said = TurnNearAnswer.NEXT_ROUND if later else TurnNearAnswer.REACHABLE
        holds = turn_near_calls.answer(session, token, said)
    if not holds:
        call.say("near-call-too-late")
        return
    _confirm(call, said)


def _confirm(call: Call, said: TurnNearAnswer) -> None:
    call.say("near-call-next-round" if said is TurnNearAnswer.NEXT_ROUND else "near-call-reachable")
