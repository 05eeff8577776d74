"""Key 1: register for a round."""

from collections.abc import Sequence

from db.models import OfficialKind
from db.states import RegistrationState
from hotline.intake import Choice, Place
from hotline.registration import Registered
from ivr.call import Gone, Prompt, WantsOperator
from ivr.conversation import MESSAGE_S, Conversation, something_recorded

_KINDS = {
    "1": (OfficialKind.MAYOR, "kind-mayor"),
    "2": (OfficialKind.DEPUTY, "kind-deputy"),
    "3": (OfficialKind.DISTRICT_MANAGER, "kind-district"),
}
_ITEM_KEYS = "123456789"
_TRIES = 3


def run(talk: Conversation) -> bool:
    """For whom, when, with which number, about what; False if nothing is open."""
    choices = list(talk.intake.offer.choices)
    for last in (False, True):  # one round may fill up meanwhile; a call has no transactions for a third
        choice = _with_room(talk, choices, again=last)
        if choice is None:
            if not last:
                _tell_nothing_open(talk)
            return last
        place = talk.intake.place_in(choice.round_id)
        if place and place.state is not RegistrationState.UNCONFIRMED:
            _tell_existing(talk, place)
            return True
        if _register(talk, choice, may_speak=not last) or talk.refused != "round-full":
            return True
    return True


def _register(talk: Conversation, choice: Choice, *, may_speak: bool) -> bool:
    """Register for this round; False if a rule refuses it, which the caller has then heard."""
    call = talk.call
    number, confirmed = talk.number_to_call()
    subject = talk.ask_subject("ask-subject")
    registered = talk.commit(choice.round_id, number, confirmed=confirmed, subject=subject)
    if registered is None:
        return False
    if registered.already and not confirmed:  # a stranger hears nothing of whose number it is
        call.say("number-will-be-confirmed")
        return True
    left: Gone | WantsOperator | None = None
    if may_speak and not registered.already:
        try:
            _message(talk, registered)
        except (Gone, WantsOperator) as leaving:
            left = leaving  # but has a place, and must hear the ticket number
    _tell(talk, registered, choice)
    if not confirmed:
        call.say("number-will-be-confirmed")
    if isinstance(left, WantsOperator):
        raise left
    return True


def _with_room(talk: Conversation, choices: list[Choice], *, again: bool) -> Choice | None:
    """The round that the caller wants, and has heard of, or None; those heard of leave `choices`.

    `again`: the caller wanted another one, so not even a single one is taken for granted.
    """
    while choices:
        choice = _for_whom(talk, choices, again=again)
        choices.remove(choice)
        place = talk.intake.place_in(choice.round_id)
        if place and place.state is not RegistrationState.UNCONFIRMED:
            return choice
        _introduce(talk, choice)
        if place or not choice.full:
            return choice
        talk.call.say("round-full")
        again = True
    return None


def _tell_nothing_open(talk: Conversation) -> None:
    mine = next((place for place in talk.intake.active if not place.standing), None)
    if mine:  # need not register, and may be asking for just that
        talk.call.say("active-registration", office=mine.clip)
        talk.tell_status(mine)
    coming = talk.intake.offer.upcoming
    if coming:
        talk.say_when("next-round-when", coming.starts_at, office=coming.clip)
        talk.say_when("registration-opens", coming.registration_from)
    elif not talk.intake.offer.choices:
        talk.call.say("no-round-open")


def _for_whom(talk: Conversation, choices: Sequence[Choice], *, again: bool) -> Choice:
    choices = _soonest_of_each(choices)
    if len(choices) == 1 and not again:
        return choices[0]
    open_kinds = {key: prompt for key, (kind, prompt) in _KINDS.items() if _of(choices, kind)}
    kind_key = next(iter(open_kinds))
    if len(open_kinds) > 1 or again:
        kind_key = talk.call.ask("choose-kind", *open_kinds.values(), keys="".join(open_kinds))
    of_kind = _of(choices, _KINDS[kind_key][0])
    if _KINDS[kind_key][0] is OfficialKind.DISTRICT_MANAGER:
        return _of_district(talk, of_kind)
    return _of_list(talk, of_kind)


def _soonest_of_each(choices: Sequence[Choice]) -> list[Choice]:
    """One round of each official: two of the same office sound the same."""
    soonest: dict[int, Choice] = {}
    for choice in choices:
        soonest.setdefault(choice.official_id, choice)
    return list(soonest.values())


def _of(choices: Sequence[Choice], kind: OfficialKind) -> list[Choice]:
    return [choice for choice in choices if choice.kind is kind]


def _of_list(talk: Conversation, choices: Sequence[Choice]) -> Choice:
    if len(choices) == 1:
        return choices[0]
    choices = choices[: len(_ITEM_KEYS)]
    items = [
        Prompt("choose-item", {"office": choice.clip, "key": key})
        for key, choice in enumerate(choices, start=1)
    ]
    key = talk.call.ask("choose-round", *items, keys=_ITEM_KEYS[: len(choices)])
    return choices[int(key) - 1]


def _of_district(talk: Conversation, choices: Sequence[Choice]) -> Choice:
    by_district = {choice.district: choice for choice in choices}
    for _ in range(_TRIES):
        district = int(talk.call.ask_digits("ask-district", at_most=2))
        if district in by_district:
            return by_district[district]
        talk.call.say("district-not-open" if 1 <= district <= 15 else "district-invalid")
    raise Gone


def _introduce(talk: Conversation, choice: Choice) -> None:
    talk.say_when("round-when", choice.starts_at, office=choice.clip)
    if choice.substitute:
        talk.call.say("substitute-speaks", office=choice.substitute)
    if talk.call.language not in choice.languages:
        talk.call.say("speaks-other-language")
    if choice.registered:
        talk.call.say("registered-so-far", count=choice.registered)
    else:
        talk.call.say("registered-so-far-none")


def _message(talk: Conversation, registered: Registered) -> None:
    """An optional message. The place is safe already, and what was said before a hang-up is kept."""
    call = talk.call
    if call.ask("message-offer", keys="12") != "1":
        return
    file, answer = talk.new_message(), ""
    wav = file.with_suffix(".wav")
    try:
        for _ in range(_TRIES):
            call.say("message-speak")
            call.record(file, MESSAGE_S)
            if not something_recorded(wav):
                break
            answer = call.ask("message-review", keys="123")
            if answer != "2":
                break
    finally:
        if answer != "3" and something_recorded(wav):
            talk.message = registered.registration_id, wav.name
        else:
            wav.unlink(missing_ok=True)
    if talk.message:
        talk.keep_message()
        call.say("message-kept")
    elif answer != "3":
        call.say("message-not-kept")


def _tell(talk: Conversation, registered: Registered, choice: Choice) -> None:
    call = talk.call
    call.say("already-registered" if registered.already else "registered", ticket=registered.ticket)
    call.say("ticket-again", ticket=registered.ticket)
    talk.tell_place(registered.ahead)
    call.say("expectation", reached=choice.expected_reach)
    call.say("will-call")


def _tell_existing(talk: Conversation, place: Place) -> None:
    call, waits = talk.call, place.state is RegistrationState.WAITING
    if waits and place.carried:
        talk.greet_carried(place)
    call.say("ticket-is" if place.carried else "already-registered", ticket=place.ticket)
    call.say("ticket-again", ticket=place.ticket)
    if waits:
        talk.tell_where(place)
        call.say("will-call")
    else:
        talk.tell_status(place)
