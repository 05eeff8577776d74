"""Script of key 1: register for a round."""

from collections.abc import Sequence

from db.models import OfficialKind
from db.states import RegistrationState
from hotline.errors import Refused
from hotline.line.caller_context import Choice, Place
from hotline.line.registration import Registered
from ivr import menus
from ivr.call import NoInput, Prompt
from ivr.conversation import Conversation, say_before_you
from ivr.scripts import extras

_KINDS = {
    "1": (OfficialKind.MAYOR, "kind-mayor"),
    "2": (OfficialKind.DEPUTY, "kind-deputy"),
    "3": (OfficialKind.DISTRICT_MANAGER, "kind-district"),
}
_TRIES = 3


def run(talk: Conversation) -> bool:
    """Ask for the round and the number; say the ticket, and offer details.

    Return False if nothing is open.
    """
    choices = list(talk.context.offer.choices)
    for last in (False, True):  # a round may fill up meanwhile; a call has no transactions for a third try
        choice = _with_room(talk, choices, again=last)
        if choice is None:
            if not last:
                _tell_nothing_open(talk)
            return last
        place = talk.context.place_in(choice.round_id)
        if place and place.state is not RegistrationState.UNCONFIRMED:
            _tell_existing(talk, place)
            return True
        try:
            _register(talk, choice, may_add=not last)
        except Refused as refused:
            talk.tell_refusal(refused)
            if refused.code == "round-full":
                continue
        return True
    return True


def _register(talk: Conversation, choice: Choice, *, may_add: bool) -> None:
    """Register for this round. Raises Refused.

    The yes to the number secures the place, and the ticket number follows at once: nothing later can cost
    either. `may_add`: offer details, if a transaction is left to store them.
    """
    number = talk.number_to_call()
    if number != talk.number:  # details in another person's name would not count
        talk.register_other(choice.round_id, number)
        return
    registered = talk.register(choice.round_id)
    _tell(talk, registered, choice)
    if may_add and not registered.already:
        extras.offer(talk, registered.registration_id, round_id=choice.round_id)


def _with_room(talk: Conversation, choices: list[Choice], *, again: bool) -> Choice | None:
    """Return the round that the caller wants and has heard about, or None; rounds heard leave `choices`.

    `again`: the caller wanted another one, so even a single round is asked about.
    """
    while choices:
        choice = _for_whom(talk, choices, again=again)
        choices.remove(choice)
        place = talk.context.place_in(choice.round_id)
        if place and place.state is not RegistrationState.UNCONFIRMED:
            return choice
        _introduce(talk, choice)
        if not choice.full:
            return choice
        talk.call.say_instead("round-full")
        again = True
    return None


def _tell_nothing_open(talk: Conversation) -> None:
    talk.call.drop_keys()
    mine = next((place for place in talk.context.active if not place.in_operators_line), None)
    if mine:  # the caller may only be asking for the state
        talk.call.say("active-registration", office=mine.clip)
        talk.tell_status(mine)
    coming = talk.context.offer.upcoming
    if coming:
        talk.say_when("next-round-when", coming.starts_at, office=coming.clip)
        talk.say_when("registration-opens", coming.registration_from)
    elif not talk.context.offer.choices:
        talk.call.say("no-round-open")


def _for_whom(talk: Conversation, choices: Sequence[Choice], *, again: bool) -> Choice:
    choices = _soonest_of_each(choices)
    if len(choices) == 1 and not again:
        return choices[0]
    open_kinds = {key: prompt for key, (kind, prompt) in _KINDS.items() if _of(choices, kind)}
    kind_key = next(iter(open_kinds))
    if len(open_kinds) > 1 or again:
        said = list(open_kinds.values())
        kind_key = menus.ask(talk.call, "choose-kind", said, keys="".join(open_kinds))
    of_kind = _of(choices, _KINDS[kind_key][0])
    if _KINDS[kind_key][0] is OfficialKind.DISTRICT_MANAGER:
        return _of_district(talk, of_kind)
    return _of_list(talk, of_kind)


def _soonest_of_each(choices: Sequence[Choice]) -> list[Choice]:
    """Return the soonest round of each official: two of the same office sound the same."""
    soonest: dict[int, Choice] = {}
    for choice in choices:
        soonest.setdefault(choice.official_id, choice)
    return list(soonest.values())


def _of(choices: Sequence[Choice], kind: OfficialKind) -> list[Choice]:
    return [choice for choice in choices if choice.kind is kind]


def _of_list(talk: Conversation, choices: Sequence[Choice]) -> Choice:
    if len(choices) == 1:
        return choices[0]
    items = [Prompt("choose-item", {"office": choice.clip}) for choice in choices]
    return choices[menus.choose(talk.call, "choose-round", items)]


def _of_district(talk: Conversation, choices: Sequence[Choice]) -> Choice:
    districts = len(talk.settings.of_city.districts)
    by_district = {choice.district: choice for choice in choices}
    mistake = ""
    for _ in range(_TRIES):
        district = int(talk.call.ask_digits("ask-district", at_most=2, mistake=mistake))
        if district in by_district:
            return by_district[district]
        mistake = "district-not-open" if 1 <= district <= districts else "district-invalid"
    talk.call.say_instead(mistake)
    raise NoInput


def _introduce(talk: Conversation, choice: Choice) -> None:
    talk.say_when("round-when", choice.starts_at, office=choice.clip)
    if choice.substitute:
        talk.call.say("substitute-speaks", office=choice.substitute)
    if talk.call.language not in choice.languages:
        talk.call.say_instead("speaks-other-language")


def _tell(talk: Conversation, registered: Registered, choice: Choice) -> None:
    call, brief = talk.call, talk.call.typed_ahead and not registered.already
    if registered.already:
        call.say_instead("already-registered", ticket=registered.ticket)
    else:
        whom = {"office": choice.clip} if brief else {}  # the caller has not heard it
        call.tell("registered-brief" if brief else "registered", ticket=registered.ticket, **whom)
    call.say("ticket-is" if brief else "ticket-again", ticket=registered.ticket)
    say_before_you(call, registered.before_me)
    if not talk.context.been_here:
        call.say("expectation", reached=choice.expected_reach)
        call.say("will-call")


def _tell_existing(talk: Conversation, place: Place) -> None:
    call, waits = talk.call, place.state is RegistrationState.WAITING
    call.drop_keys()
    if waits and place.carried:
        talk.greet_carried(place)
    call.say("ticket-is" if place.carried else "already-registered", ticket=place.ticket)
    call.say("ticket-again", ticket=place.ticket)
    if waits:
        talk.tell_where(place)
        call.say("will-call")
    else:
        talk.tell_status(place)
