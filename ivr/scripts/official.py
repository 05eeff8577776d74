"""Script of an official's telephone that we called: the PIN opens the desk's room for the whole round."""

from sqlalchemy import Engine

from db.engine import reading, writing
from dialplan.variables import Variable
from hotline.desks import desk_phones
from hotline.errors import Refused
from hotline.people import accounts
from ivr.call import AGIError, Call, NoInput
from settings import Settings

_TRIES = 3
_LONGEST_PIN = 8


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask for the PIN; only the right one lets the dialplan continue."""
    call.speak("fa")
    call.lead("official-intro")
    mistake = ""
    try:
        for _ in range(_TRIES):
            pin = call.ask_digits("official-pin", at_most=_LONGEST_PIN, mistake=mistake)
            if _is_right(call, engine, pin):
                call.set(Variable.CONFIRMED, "yes")
                call.say("official-welcome")
                return
            mistake = "official-wrong"
        call.say_instead(mistake)
    except Refused:
        call.say_instead("official-locked")
    except NoInput:
        pass
    call.say("official-goodbye")


def _is_right(call: Call, engine: Engine, pin: str) -> bool:
    """Return whether the PIN is right, and count the try. Slow on purpose, so outside any transaction."""
    with reading(engine) as session:
        person = desk_phones.find_person(session, call.channel_id)
        if person is None:
            raise AGIError("a telephone that nobody asked for")
        user_id, known = person.id, accounts.find_pin_hash(session, person)
    right = accounts.is_right(known, pin)
    with call.working(), writing(engine) as session:
        return accounts.count_pin_try(session, user_id, right=right)
