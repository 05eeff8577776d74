"""Script of a confirmation call: 1 agrees to the request, 2 refuses it, and silence is asked again.

Only this call names the details, because only the number's owner hears it.
"""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import ConfirmationKind, Round
from hotline import numbers
from hotline.errors import Refused
from hotline.line import confirmation_calls
from hotline.line.registration import Registered
from hotline.rounds import phases
from ivr.call import AGIError, Call, NoInput
from ivr.conversation import say_before_you
from settings import Settings

_ABOUT = {
    ConfirmationKind.REGISTRATION: ("confirm-call-intro", "confirm-call-press-one"),
    ConfirmationKind.NUMBER: ("confirm-number-intro", "confirm-call-press-one"),
    ConfirmationKind.CANCELLATION: ("confirm-cancel-intro", "confirm-cancel-press-one"),
}
_ABOUT_MOVING = ("confirm-move-intro", "confirm-move-press-one")
_DONE = {
    ConfirmationKind.REGISTRATION: "confirm-call-done",
    ConfirmationKind.NUMBER: "confirm-number-done",
}
_DECLINED = {
    ConfirmationKind.REGISTRATION: "confirm-call-refused",
    ConfirmationKind.NUMBER: "confirm-number-refused",
    ConfirmationKind.CANCELLATION: "not-cancelled",
}
_REFUSALS = {
    "round-full": "confirm-call-full",
    "too-many-today": "too-many-today",
    "number-taken": "confirm-number-taken",
    "cancelled": "status-cancelled",
}


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask, record the answer, and say the result; the ticket number is said once it is certain.

    An answer to a script that broke off is not asked again.
    """
    token = call.channel_id
    with reading(engine) as session:
        confirmation = confirmation_calls.find_by_token(session, token)
        if confirmation is None or confirmation.registration is None:
            raise AGIError("a confirmation that nobody asked for")
        kind, language = confirmation.kind, confirmation.registration.language
        new_number = confirmation.new_number and numbers.format_national(confirmation.new_number)
        office = phases.find_speaker(session.get_one(Round, confirmation.registration.round_id)).clip
        said = confirmation.agreed
        told = confirmation_calls.repeat_answer(session, confirmation) if said is not None else None
    call.speak(language)
    if said is None:
        intro, question = _ABOUT_MOVING if new_number else _ABOUT[kind]
        call.say(intro, office=office, **({"number": new_number} if new_number else {}))
        try:
            said = call.ask(question, keys="12", tries=2) == "1"
        except NoInput:
            if not new_number and kind is not ConfirmationKind.CANCELLATION:
                raise  # there is no place in the line to keep
            _tell_of_silence(call, engine, token, moves=bool(new_number))
            return
        with call.working(), writing(engine) as session:
            per_day = settings.registrations_per_day
            told = confirmation_calls.answer(session, token, yes=said, per_day=per_day)
    if new_number and told is None:
        _tell_of_moving(call, new_number, yes=said)
    else:
        _tell(call, kind, told, yes=said)
    call.say("confirm-call-goodbye")


def _tell_of_silence(call: Call, engine: Engine, token: str, *, moves: bool) -> None:
    """Say that the place is safe, if it is: the owner has decided nothing."""
    with call.working(), reading(engine) as session:
        told = confirmation_calls.find_obstacle(session, token)
    if told is None:
        call.say("number-kept" if moves else "not-cancelled")
    elif told.code in _REFUSALS:
        call.say(_REFUSALS[told.code])
    call.say("confirm-call-goodbye")


def _tell_of_moving(call: Call, new_number: str, *, yes: bool) -> None:
    if yes:
        call.say("change-number-asked", number=new_number)
    else:
        call.say("number-kept")


def _tell(call: Call, kind: ConfirmationKind, told: Registered | Refused | None, *, yes: bool) -> None:
    if isinstance(told, Registered):
        call.say(_DONE[kind], ticket=told.ticket)
        call.say("ticket-again", ticket=told.ticket)
        say_before_you(call, told.before_me)
        call.say("will-call")
    elif isinstance(told, Refused):
        call.say(_REFUSALS.get(told.code, "confirm-call-too-late"))
    else:
        call.say("cancelled-now" if yes else _DECLINED[kind])
