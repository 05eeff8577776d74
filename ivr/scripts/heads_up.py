"""Script of the heads-up call: the citizen can be reached, or asks for the next round."""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.states import HeadsUpAnswer
from hotline.outbound import heads_up, queue
from hotline.rounds import phases
from ivr.call import AGIError, Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Record a 1 or 2 before its confirmation; silence changes nothing."""
    token = call.channel_id
    with reading(engine) as session:
        placed = queue.find_by_token(session, token)
        if placed is None or placed.registration is None or placed.round_id is None:
            raise AGIError("a heads-up call that nobody asked for")
        language, answer = placed.registration.language, placed.answer
        office = phases.find_speaker(phases.get(session, placed.round_id)).clip
    call.speak(language)
    if answer:  # recorded by a script that broke off
        _confirm(call, HeadsUpAnswer(answer))
        return
    call.say("near-call-intro", office=office)
    later = call.ask("near-call-question", keys="12", tries=2) == "2"
    with call.working(), writing(engine) as session:
        said = HeadsUpAnswer.NEXT_ROUND if later else HeadsUpAnswer.REACHABLE
        holds = heads_up.answer(session, token, said)
    if not holds:
        call.say("near-call-too-late")
        return
    _confirm(call, said)


def _confirm(call: Call, said: HeadsUpAnswer) -> None:
    call.say("near-call-next-round" if said is HeadsUpAnswer.NEXT_ROUND else "near-call-reachable")
