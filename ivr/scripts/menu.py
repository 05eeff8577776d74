"""The main menu: what a citizen hears who dials 137."""

from collections.abc import Callable

from sqlalchemy import Engine

from ivr.call import Call, InDanger, NoInput, NoKey, WantsOperator
from ivr.caller_cache import CallerCache
from ivr.conversation import Conversation
from ivr.partings import GONE, PARTINGS, keep
from ivr.scripts import follow_up, operator, register, report, resume, silence, urgent
from settings import Settings

_SCRIPTS: dict[str, Callable[[Conversation], bool]] = {
    "1": register.run,
    "2": follow_up.run,
    "3": report.run,
}
_LANGUAGE = "9"
_OTHER = {"fa": ("en", "menu-english"), "en": ("fa", "menu-persian")}
"""For each language the other one, and what offers it, in its own words: no choice of the menu's four."""
_ROUNDS_OF_MENU = 4


def run(call: Call, engine: Engine, settings: Settings, cache: CallerCache) -> None:
    """Greet, offer the choices, go where the caller wants."""
    call.leads_to_operator = True
    number = call.number(settings.allowed_prefixes)
    with call.working(leads=True):  # at a bad moment it takes as long as a key
        context = cache.look_up(number)
    talk = Conversation(call, engine, settings, number, context)
    if talk.context.blocked:
        call.say_instead(f"blocked-{talk.context.blocked}")
        return
    if talk.context.slowly:
        call.slow_down()
    if not call.again:
        call.lead("greeting")
        _offer_language(call)
    try:
        _serve(talk)
    except GONE:
        keep(talk.leave)
        raise
    except Exception:  # more is to be said
        talk.leave()
        raise
    PARTINGS.finish(call, talk.leave)


def _serve(talk: Conversation) -> None:
    """All that the caller hears."""
    try:
        if not _stays_on_the_line(talk):
            talk.call.say("goodbye")
    except NoKey:
        silence.run(talk)
    except NoInput:
        talk.call.say("goodbye-how")


def _stays_on_the_line(talk: Conversation) -> bool:
    """Go where the caller wants; whether they wait for an operator now. Raises NoKey."""
    try:
        if not (talk.call.again and resume.run(talk)):
            _choose(talk)
        talk.call.nothing_more()
    except WantsOperator:
        return operator.run(talk)
    except InDanger:
        return urgent.run(talk)
    return False


def _choose(talk: Conversation) -> None:
    for _ in range(_ROUNDS_OF_MENU):
        key = talk.call.ask("main-menu", keys="1239")
        if key == _LANGUAGE:
            talk.call.speak(_OTHER[talk.call.language][0])
            _offer_language(talk.call)
        elif _SCRIPTS[key](talk):
            return


def _offer_language(call: Call) -> None:
    language, prompt = _OTHER[call.language]
    call.lead(prompt, language=language)
