"""Key 1: register for a round."""

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline import numbers, registration, rounds
from hotline.errors import Refused
from hotline.registration import Registered
from ivr.call import Call, Gone, Slots
from settings import Settings

_MENU_KEYS = "123456789"
_LONGEST_NUMBER = 15  # E.164 has at most 15 digits
_TRIES = 3


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """For whom, with which number; then the registration is committed, then it is told."""
    round_id = _for_whom(call, engine)
    if round_id is None:
        call.say("no-round-open")
        return
    number = _number(call, settings)
    try:
        with writing(engine) as session:
            registered = registration.register(
                session, round_id=round_id, number=number, language=call.language
            )
    except Refused as refused:
        if refused.code != "registration-closed":
            raise
        call.say("closed-meanwhile")
        return
    _tell(call, registered)


def _for_whom(call: Call, engine: Engine) -> int | None:
    with reading(engine) as session:
        choices = [(r.id, r.official.clip) for r in rounds.registrable(session)[: len(_MENU_KEYS)]]
    if not choices:
        return None
    if len(choices) == 1:
        call.say("round-single", office=choices[0][1])
        return choices[0][0]
    items = [("choose-item", Slots(office=clip, key=key)) for key, (_, clip) in enumerate(choices, start=1)]
    key = call.ask("choose-round", *items, keys=_MENU_KEYS[: len(choices)])
    return choices[int(key) - 1][0]


def _number(call: Call, settings: Settings) -> str:
    number = _parsed(call.caller_id, settings)
    for _ in range(_TRIES):
        if number is None:
            number = _parsed(call.ask_digits("ask-number", at_most=_LONGEST_NUMBER), settings)
        if number is None:
            call.say("number-invalid")
            continue
        spoken: Slots = {"number": numbers.national(number)}
        if call.ask(("confirm-number", spoken), keys="12") == "1":
            return number
        number = None
    raise Gone


def _parsed(text: str, settings: Settings) -> str | None:
    try:
        return numbers.parse(text, settings.allowed_prefixes)
    except Refused:
        return None


def _tell(call: Call, registered: Registered) -> None:
    call.say("already-registered" if registered.already else "registered", ticket=registered.ticket)
    call.say("ticket-again", ticket=registered.ticket)
    tell_place(call, registered.ahead)
    call.say("will-call")


def tell_place(call: Call, ahead: int) -> None:
    """Say how many citizens are called before this one."""
    if ahead:
        call.say("ahead-some", ahead=ahead)
    else:
        call.say("ahead-none")
