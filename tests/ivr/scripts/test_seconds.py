"""A caller who hears every word: how many seconds of clips lie before what they call for.

The clips are those that the synthetic voice makes, in the order in which the call scripts play them. Between
them come only what the caller needs to press a key and what a commit takes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Official, OfficialKind, Registration, Round
from db.states import CallbackState, Phase
from hotline import tickets
from hotline.clock import CITY
from hotline.line import silences
from prompts import catalogue
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk, Heard
from tests.kit.system import built_prompts

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the same is said on both

OWN = "+989131234567"
LISTENS = [
    *(("after main-menu", "1"), ("after confirm-number", "1")),
    *(("after subject-others", "1"), ("after message-offer", "#")),
]
OFFICES = ["office-mayor", "office-deputy-urban-services", "office-district-15"]
KEY_S = 0.6
"""The time of a quick caller between a question's end and the next word: the key and our queries."""


@pytest.fixture
def voice(settings: Settings) -> Iterator[Settings]:
    """Settings whose prompts are the synthetic voice's."""
    settings.state_dir.mkdir(exist_ok=True)
    settings.prompts_dir.unlink(missing_ok=True)
    settings.prompts_dir.symlink_to(built_prompts())
    yield settings


def seconds(settings: Settings, heard: Heard, until: str = "", *, end: str = "") -> float:
    """The seconds of all clips before the prompt `until`, or to the end of the prompt `end`, or of all."""
    clips = list(zip(heard.folders, heard.clips, strict=True))
    names = [clip.partition(".")[0] for _, clip in clips]
    if until:
        clips = clips[: names.index(until)]
    elif end:
        order = [prompt for prompt in heard.prompts if prompt in names]
        following = order[order.index(end) + 1]
        clips = clips[: names.index(following, names.index(end))]
    return sum((folder / f"{clip}.alaw").stat().st_size for folder, clip in clips) / 8000


@pytest.fixture
def ordinary_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket of ordinary digits: a random one takes up to half a second more or less, each time."""
    monkeypatch.setattr(tickets, "offers", lambda *_: iter(["12345674"]))


@pytest.fixture
def open_round(engine: Engine) -> None:
    """A round that takes registrations."""
    with writing(engine) as session:
        an_open_round(session)


def an_open_round(session: Session) -> Round:
    """Make a round at half past ten: another day or hour takes a second more or less."""
    round_ = make.a_round(session, Phase.OPEN)
    round_.starts_at = datetime(2099, 12, 2, 10, 30, tzinfo=CITY)
    round_.ends_at = round_.starts_at + timedelta(hours=2)
    return round_


@pytest.mark.parametrize(("language", "safe_s", "told_s", "over_s"), [("fa", 25, 30, 70), ("en", 29, 36, 79)])
@pytest.mark.parametrize("clip", OFFICES)
def test_registration_is_safe_told_and_over_in_time(
    asterisk: FakeAsterisk,
    engine: Engine,
    voice: Settings,
    open_round: None,
    ordinary_ticket: None,
    clip: str,
    language: str,
    safe_s: int,
    told_s: int,
    over_s: int,
) -> None:
    """The seconds of a caller who goes on in English count from then: the rest is said in Persian.

    English at 150 words a minute (`test_full_build`) misses the goals of Persian by 4, 6 and 9 s.
    """
    with writing(engine) as session:
        session.execute(update(Official).values(clip=clip))

    heard = asterisk.dial(*[("after main-menu", "9")] * (language == "en"), *LISTENS)

    assert heard.prompts[-1] == "goodbye"
    before = seconds(voice, heard, "menu-persian") if language == "en" else 0.0
    assert seconds(voice, heard, "registered") - before + 2 * KEY_S <= safe_s
    assert seconds(voice, heard, "ticket-again") - before + 2 * KEY_S <= told_s
    assert seconds(voice, heard) - before + 4 * KEY_S <= over_s


@pytest.mark.parametrize(("language", "most_s"), [("fa", 8), ("en", 9)])
def test_words_about_cancelling_are_short(voice: Settings, language: str, most_s: int) -> None:
    from prompts.lengths import lengths

    words = ("cancel-confirm", "cancel-call-soon", "confirm-cancel-intro", "confirm-cancel-press-one")
    long = {each.prompt: each.seconds for each in lengths(voice, language) if each.prompt in words}

    assert long.keys() == set(words)
    assert {prompt for prompt, seconds in long.items() if seconds > most_s} == set()


def test_choice_of_a_district_is_heard_in_time(
    asterisk: FakeAsterisk, engine: Engine, voice: Settings, open_round: None
) -> None:
    with writing(engine) as session:
        an_open_round(session).official.kind = OfficialKind.DEPUTY
        official = an_open_round(session).official
        official.kind, official.district, official.clip = (
            OfficialKind.DISTRICT_MANAGER,
            7,
            "office-district-7",
        )

    heard = asterisk.dial(
        *(("after main-menu", "1"), ("after kind-district", "3"), ("after ask-district", "7#")),
        ("after confirm-number", "1"),
    )

    assert seconds(voice, heard, "registered") + 4 * KEY_S <= 36


def test_silence_from_the_start_has_a_place_within_40_s(
    asterisk: FakeAsterisk, engine: Engine, voice: Settings
) -> None:
    heard = asterisk.dial()

    waited = sum(heard.waits_ms) / 1000
    assert seconds(voice, heard, "operator-busy") + waited <= 39
    with reading(engine) as session:
        assert session.query(Registration).count() == 1


def test_number_known_to_be_silent_has_a_place_within_40_s(
    asterisk: FakeAsterisk, engine: Engine, voice: Settings
) -> None:
    with writing(engine) as session:
        silences.note(session, OWN)

    heard = asterisk.dial()

    assert seconds(voice, heard, "operator-busy") + sum(heard.waits_ms) / 1000 <= 39


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("recorded", [False, True])
def test_callback_says_who_calls_in_eight_seconds(
    asterisk: FakeAsterisk, engine: Engine, voice: Settings, language: str, recorded: bool
) -> None:
    for clip in ("office-mayor", "office-deputy-urban-planning", "office-district-15"):
        with writing(engine) as session:
            callback = make.a_callback(session, CallbackState.DIALING)
            token = callback.token
            session.execute(update(Registration).values(language=language))
            session.execute(update(Round).values(recorded=recorded))
            session.execute(update(Official).values(clip=clip))

        heard = asterisk.dial(
            ("after callback-press-one", "1"), script="callback", channel_id=token, caller_id="137"
        )

        assert ("callback-recorded" in heard.prompts) is recorded
        assert seconds(voice, heard) <= (8 if recorded else 6.5)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_slow_prompts_take_twelve_seconds_at_most(voice: Settings, language: str) -> None:
    from prompts.lengths import lengths

    slow = {each.prompt: each.seconds for each in lengths(voice, language) if each.prompt.endswith("-slow")}

    assert slow.keys() >= {"main-menu-slow", "confirm-number-slow"} <= catalogue.prompt_ids(language)
    assert {prompt for prompt, long in slow.items() if long > 12} == set()
