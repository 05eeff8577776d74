"""The phone: it speaks, hears, presses keys, refuses and gives up."""

import numpy as np
import soundfile

from tests.kit import sound
from tests.kit.phone import Phone
from tests.kit.sound import heard, tone_level


def test_two_phones_hear_each_other_and_not_themselves(tone):
    with Phone("+989131234567", sound=tone(440)) as citizen, Phone("137", sound=tone(1000)) as desk:
        citizen.dial(desk.uri)
        call = desk.wait_for_call()
        citizen.wait_for("ringing")
        desk.answer()
        citizen.wait_for("established")
        for phone, theirs, own in ((citizen, 1000, 440), (desk, 440, 1000)):
            recording = phone.wait_for_sound(0.8)
            assert tone_level(recording, theirs) > 0.99
            assert tone_level(recording, own) < 0.01
        citizen.press("137*#")
        assert desk.wait_for_keys("137*#") is call
        assert "+989131234567" in call.peer
        citizen.hangup()
        desk.wait_for("closed")
        assert desk.rang == 1


def test_spoken_clips_are_heard_by_the_other_phone(clips, tmp_path):
    said = ["your-number", "7", "twenty-and", "8"]
    words = tmp_path / "words.wav"
    samples = np.concatenate([np.zeros(800), *(sound.load(clips[name]).samples for name in said)])
    soundfile.write(words, samples, 8000)
    with Phone("137", sound=words, auto_answer=True) as speaker, Phone() as citizen:
        citizen.dial(speaker.uri)
        citizen.wait_for("established")
        recording = citizen.wait_for_sound(len(samples) / 8000)
        citizen.hangup()
        citizen.dial(speaker.uri)  # a second call has its own recording
        assert citizen.wait_for_sound(0.2).seconds < recording.seconds
    matches = heard(recording, clips)
    assert [match.clip for match in matches] == said
    assert min(match.score for match in matches) > 0.99


def test_refusal_or_cancellation_reaches_the_caller():
    with Phone("1") as caller, Phone("2") as other:
        caller.dial(other.uri)
        other.wait_for_call()
        other.reject()
        assert caller.wait_for("closed").reason.startswith("486")
        placed = caller.dial(other.uri)
        call = other.wait_for_call()
        caller.wait_for("ringing", call=placed)  # before that there is nothing to cancel yet
        caller.hangup()
        other.wait_for("closed", call=call)
        assert other.rang == 2
