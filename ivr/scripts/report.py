"""Script of key 3: report a city problem."""

import re
from functools import partial
from pathlib import Path

from db.engine import writing
from hotline.requests import categories, filing, lifecycle
from ivr import voice_message
from ivr.call import InDanger, NoInput, WantsOperator
from ivr.conversation import Conversation
from ivr.final_writes import GONE, keep
from ivr.scripts import urgent
from ivr.voice_message import Nothing

_TRIES = 3
_KNOWN = re.compile("-([0-9]+)-([0-9]+)-[0-9a-f]+$")
"""End of such a recording's name."""
_WHY_NOTHING = {
    Nothing.SAID: "report-nothing",
    Nothing.DELETED: "report-deleted",
    Nothing.RECORDED: "report-not-kept",
    None: "report-nothing",
}


def run(talk: Conversation) -> bool:
    """Ask for the category, the place and the caller's own words; say the tracking number after the commit.

    A caller in danger is heard before all. After a hang-up the spoken words are filed, too, and a text
    message has the number. Raises InDanger.
    """
    take(talk, *_about(talk), "report-speak", "report-review")
    return True


def take(talk: Conversation, category: int, district: int | None, speak: str, review: str = "") -> bool:
    """Record the caller's own words as a report and say its number. Return whether anything was said.

    Without a `review` no key is needed.
    """
    spoken = voice_message.record_message(talk, speak, review, _as_name(category, district))
    if spoken.wav and spoken.is_there:
        with talk.call.working():
            tracking = _keep(talk, category, district, spoken.wav)
        tell(talk, tracking)
    elif spoken.wav:
        write = partial(_keep, talk, category, district, spoken.wav)
        keep(write) if isinstance(spoken.left, GONE) else write()
    elif not spoken.left:
        talk.call.say_instead(_WHY_NOTHING[spoken.nothing])
    if spoken.left and not (spoken.wav and isinstance(spoken.left, NoInput)):
        raise spoken.left
    return spoken.wav is not None


def send_left_over(talk: Conversation, wav: Path) -> str | None:
    """File the recording of a call that was cut; return None if its name has no category."""
    about = _KNOWN.search(wav.stem)
    return _keep(talk, int(about[1]), int(about[2]) or None, wav) if about else None


def send(talk: Conversation, wav: Path) -> None:
    """Ask for the category of an earlier version's recording, and file it."""
    about = _about(talk)
    with talk.call.working():
        tracking = _keep(talk, *about, wav)
    tell(talk, tracking)


def tell(talk: Conversation, tracking: str) -> None:
    """Say the tracking number twice."""
    talk.call.tell("report-recorded", tracking=tracking)
    talk.call.say("report-recorded-again", tracking=tracking)


def _about(talk: Conversation) -> tuple[int, int | None]:
    asked = urgent.can_be_helped(talk)
    if asked:
        talk.call.lead("report-danger")
    try:
        category = talk.ask_category("report-category")
    except WantsOperator as person:
        raise (InDanger if asked else person) from None
    return category, _district(talk)


def _as_name(category: int, district: int | None) -> str:
    """Return the recording's category and district for its name, since the file exists before any row."""
    return f"{category}-{district or 0}-"


def _keep(talk: Conversation, key: int, district: int | None, wav: Path) -> str:
    with writing(talk.engine) as session:
        known = lifecycle.find_by_call(session, talk.call.channel_id)
        if known and known.voice_message == wav.name:  # the commit's confirmation was lost
            return known.tracking
        return filing.report(
            session,
            number=talk.number,
            category=categories.find_by_key(session, key).id,
            district=district,
            voice_message=wav.name,
            language=talk.call.language,
            week=talk.settings.working_week,
            call_id=talk.call.channel_id,
        )


def _district(talk: Conversation) -> int | None:
    """Ask for the district; None if the caller does not know it and presses #, or keys no valid one."""
    districts = len(talk.settings.of_city.districts)
    if districts == 1:
        return 1
    mistake = ""
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("report-district", at_most=2, optional=True, mistake=mistake)
        if not keyed:
            return None
        if 1 <= int(keyed) <= districts:
            return int(keyed)
        mistake = "district-invalid"
    talk.call.say_instead(mistake)
    return None
