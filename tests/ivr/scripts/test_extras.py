"""Key 1: what is asked once the place is kept: the subject, and a message."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.engine import writing
from db.models import Round
from db.states import RegistrationState
from settings import Settings
from tests import factories as make
from tests.ivr.scripts.registering import (
    ASKED,
    FOUR,
    NO_MESSAGE,
    OWN,
    PATH,
    RIGHT,
    ROADS,
    SAFE,
    START,
    on_sqlite,
    registrations,
)
from tests.kit.fake_asterisk import CUT, HANG_UP, NO_FILE, NOTHING_SAID, End, FakeAsterisk

# --- about what ---


@on_sqlite
@pytest.mark.parametrize("subject", range(1, 10))
def test_each_subject_has_its_key(asterisk: FakeAsterisk, engine: Engine, round_id: int, subject: int):
    again = [("after subject-others", "9"), ("after subject-9", "9")] if subject == 9 else []
    heard = asterisk.dial(START, RIGHT, ("after subject-others", str(subject)), *again, NO_MESSAGE)

    first = heard.prompts.index("ask-subject") + 1
    assert heard.prompts[first : first + 5] == FOUR
    if again:
        pages = [*(f"subject-{n}" for n in (4, 5, 6)), "subject-others", "choices", "subject-7"]
        assert heard.prompts[first + 6 : first + 14] == [*pages, "subject-8", "subject-9"]
    assert [kept.subject for kept in registrations(engine)] == [subject]


def test_three_most_chosen_subjects_are_said_first(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        for subject, citizens in ((9, 5), (8, 4), (6, 3), (3, 2), (2, 1), (7, 1)):
            for registration in make.some_registrations(session, round_, citizens):
                registration.subject = subject

    nine = ("after subject-others", "9")
    heard = asterisk.dial(START, RIGHT, nine, nine, NO_MESSAGE)

    said = [prompt for prompt in heard.prompts if prompt.startswith("subject-")]
    assert said[:4] == ["subject-3", "subject-6", "subject-8", "subject-others"]
    assert said[4:8] == ["subject-1", "subject-2", "subject-4", "subject-others"]
    assert said[8:] == ["subject-5", "subject-7", "subject-9"]
    assert heard.said("choices", count=4) and not heard.said("choices", count=5)
    assert registrations(engine)[-1].subject == 9, "silence there means something else"


@on_sqlite
def test_one_key_skips_the_subject(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, RIGHT, ("ask-subject", "#"), NO_MESSAGE)

    assert heard.prompts == PATH
    assert [kept.subject for kept in registrations(engine)] == [None]


def test_silence_after_the_yes_keeps_the_place(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, RIGHT)

    (kept,) = registrations(engine)
    assert (kept.state, kept.subject, kept.voice_message) == (RegistrationState.WAITING, None, None)
    assert heard.prompts == [*(*SAFE, "ask-subject", *FOUR, "message-offer", "goodbye")]
    assert heard.said("registered", ticket=kept.ticket)
    assert heard.finished


@on_sqlite
def test_wrong_key_at_an_optional_question_costs_nothing(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    wrong = [("message-offer", "7")] * 2

    heard = asterisk.dial(START, RIGHT, ("ask-subject", "*"), ("ask-subject", "2"), *wrong, NO_MESSAGE)

    again = ["wrong-key", "message-offer"]
    assert heard.prompts == [*SAFE, "ask-subject", *ASKED, *again, *again, "goodbye"]
    assert [kept.subject for kept in registrations(engine)] == [2]


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["message-offer", "after message-offer", "goodbye"])
def test_a_subject_that_was_named_is_kept_whatever_ends_the_call(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, moment: str, how: End
):
    skips = [NO_MESSAGE] if moment == "goodbye" else []

    heard = asterisk.dial(START, RIGHT, ("ask-subject", "3"), *skips, (moment, how))

    assert not heard.finished
    assert [kept.subject for kept in registrations(engine)] == [3]


SPEAKS = ("message-offer", "1")
UP_TO_THE_SUBJECT = [START, RIGHT, ROADS]


def left_behind(settings: Settings) -> list[str]:
    """Return the files in the folder of messages."""
    return sorted(file.name for file in settings.messages_dir.iterdir())


def kept_message(engine: Engine, settings: Settings) -> str | None:
    """Return the message of the one registration; None if there is none."""
    (kept,) = registrations(engine)
    return (settings.messages_dir / kept.voice_message).read_text() if kept.voice_message else None


# --- a message ---


def test_a_message_is_kept_with_the_registration(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", "#"), ("message-review", "1"))

    assert heard.prompts == [
        *(*PATH[:-1], "message-speak", "message-review", "message-kept", "goodbye"),
    ]
    (file,) = heard.recorded
    (kept,) = registrations(engine)
    assert (file.parent, file.name) == (settings.messages_dir, kept.voice_message)
    assert heard.clips[heard.clips.index("message-speak") + 1] == "beep"
    assert heard.record_ms == [60_000]
    assert OWN[3:] not in file.name


@on_sqlite
def test_a_message_is_recorded_again_until_the_caller_is_content(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(
        *UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "2"), ("message-review", "2"), ("message-review", "1")
    )

    assert heard.prompts[12:] == [*["message-speak", "message-review"] * 3, "message-kept", "goodbye"]
    assert kept_message(engine, settings) == heard.recorded[-1].read_text()
    assert left_behind(settings) == [heard.recorded[-1].name], "the last one takes the place of the others"


@on_sqlite
def test_who_records_nothing_the_second_time_keeps_the_first(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(
        *(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", "#"), ("message-review", "2"), ("recording", NO_FILE))
    )

    assert heard.prompts[12:-1] == ["message-speak", "message-review", "message-speak", "message-kept"]
    assert left_behind(settings) == [heard.recorded[0].name]
    assert kept_message(engine, settings) == heard.recorded[0].read_text()


@on_sqlite
def test_who_says_nothing_has_no_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", NOTHING_SAID))

    assert heard.prompts[12:] == ["message-speak", "message-not-kept", "goodbye"]
    assert (kept_message(engine, settings), left_behind(settings)) == (None, [])


@on_sqlite
def test_who_wants_to_record_a_fourth_time_keeps_the_third(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, *[("message-review", "2")] * 3)

    assert heard.prompts[12:] == [*["message-speak", "message-review"] * 3, "message-kept", "goodbye"]
    assert kept_message(engine, settings)


@on_sqlite
@pytest.mark.parametrize(
    "damage", [NO_FILE, lambda file: file.unlink(), lambda file: file.write_bytes(b"RIFF")]
)
def test_who_cannot_be_recorded_hears_that_and_keeps_the_place(
    asterisk: FakeAsterisk,
    engine: Engine,
    settings: Settings,
    round_id: int,
    damage: bytes | Callable[[Path], object],
):
    def spoil() -> None:
        assert callable(damage)
        damage(next(settings.messages_dir.iterdir()))

    heard = asterisk.dial(
        *UP_TO_THE_SUBJECT, SPEAKS, ("recording", damage if isinstance(damage, bytes) else spoil)
    )

    assert heard.prompts[12:] == ["message-speak", "message-not-kept", "goodbye"]
    assert heard.finished
    assert kept_message(engine, settings) is None
    assert left_behind(settings) == []


@on_sqlite
def test_abandoned_message_leaves_no_file(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "3"))

    assert heard.prompts[12:] == ["message-speak", "message-review", "goodbye"]
    assert kept_message(engine, settings) is None
    assert left_behind(settings) == []


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["recording", "message-review", "after message-review", "message-kept"])
def test_hang_up_after_speaking_keeps_place_and_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int, moment: str, how: End
):
    keeps = [("message-review", "1")] if moment == "message-kept" else []

    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, *keeps, (moment, how))

    assert not heard.finished
    (kept,) = registrations(engine)
    assert kept.state is RegistrationState.WAITING
    assert kept.voice_message == heard.recorded[0].name
    assert kept_message(engine, settings)


@on_sqlite
@pytest.mark.parametrize("moment", ["message-offer", "message-speak"])
def test_who_hangs_up_before_speaking_keeps_the_place(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int, moment: str
):
    speaks = [SPEAKS] if moment == "message-speak" else []

    asterisk.dial(*UP_TO_THE_SUBJECT, *speaks, (moment, HANG_UP))

    assert kept_message(engine, settings) is None


@on_sqlite
def test_who_is_at_a_loss_after_speaking_has_left_the_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "7"))

    assert heard.prompts[-1] == "goodbye"
    assert heard.finished
    assert kept_message(engine, settings)


@on_sqlite
def test_key_0_at_the_message_keeps_place_and_subject(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, ("message-offer", "0"), ("operator-choice", "#"))

    assert heard.prompts == [
        *PATH[:-1],
        *("operator-busy", "ahead-none", "operator-choice", "operator-registered", "goodbye"),
    ]
    assert heard.finished
    assert [kept.subject for kept in registrations(engine)] == [1, None]
