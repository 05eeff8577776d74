"""Script of the main menu, which callers of 137 hear."""

from collections.abc import Callable

from sqlalchemy import Engine

from ivr.call import Call, InDanger, NoInput, NoKey, WantsOperator
from ivr.caller_cache import CallerCache
from ivr.conversation import Conversation
from ivr.final_writes import FINAL_WRITES, GONE, keep
from ivr.scripts import follow_up, operator, register, report, resume, silence, urgent
from settings import Settings

_SCRIPTS: dict[str, Callable[[Conversation], bool]] = {
    "1": register.run,
    "2": follow_up.run,
    "3": report.run,
}
_LANGUAGE = "9"
_OTHER = {"fa": ("en", "menu-english"), "en": ("fa", "menu-persian")}
"""Other language and its offer in its own words, by language; it is none of the menu's four choices."""
_ROUNDS_OF_MENU = 4


def run(call: Call, engine: Engine, settings: Settings, cache: CallerCache) -> None:
    """Greet the caller, offer the choices, and run the chosen script."""
    call.leads_to_operator = True
    number = call.number(settings.allowed_prefixes)
    with call.working(leads=True):  # at worst it takes as long as a key
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
    except Exception:  # the dialplan will speak to the caller again
        talk.leave()
        raise
    FINAL_WRITES.finish(call, talk.leave)


def _serve(talk: Conversation) -> None:
    """Say everything that the caller hears after the greeting."""
    try:
        if not _stays_on_the_line(talk):
            talk.call.say("goodbye")
    except NoKey:
        silence.run(talk)
    except NoInput:
        talk.call.say("goodbye-how")


def _stays_on_the_line(talk: Conversation) -> bool:
    """Run the chosen script. Return whether the caller waits for an operator now. Raises NoKey."""
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
