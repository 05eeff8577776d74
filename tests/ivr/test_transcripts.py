"""The fake Asterisk says only what the real one has said (transcripts.toml), and knows all that is asked."""

from io import BytesIO
from pathlib import Path

import pytest

from ivr.agi import Agi, AGIError, AGIHangup
from tests.kit import fake_channel, transcripts
from tests.kit.fake_asterisk import HANG_UP, FakeAsterisk

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])

HUNG_UP = ("hang-up", "dead channel")
ENDS = [
    (command, end, "\n".join(lines) + "\n")
    for command, ends in transcripts.recorded().items()
    if command not in ("AGI", "ANYTHING ELSE")
    for end, lines in ends.items()
    if end != "wrong syntax"
]


def test_the_fake_has_no_answer_of_its_own():
    source = Path(fake_channel.__file__).read_text()
    assert not [word for word in ("result=", "endpos=", "200 ", "511 ", "520") if word in source]


def test_a_number_takes_the_place_of_the_one_that_was_seen():
    assert fake_channel.said("WAIT FOR DIGIT", "a key", ord("7")) == b"200 result=55\n"


@on_sqlite
def test_all_that_a_call_asks_of_asterisk_is_in_the_transcripts(asterisk: FakeAsterisk):
    steps = [("main-menu", "9"), ("main-menu", "3"), ("report-category", "1"), ("after report-district", "#")]
    heard = asterisk.dial(*steps, ("recording", HANG_UP))
    assert heard.commands == set(transcripts.recorded()) - {"AGI", "ANYTHING ELSE"}


@pytest.mark.parametrize(("command", "end", "answer"), ENDS, ids=[f"{c}, {e}" for c, e, _ in ENDS])
def test_each_end_that_a_command_can_have_is_understood(tmp_path: Path, command: str, end: str, answer: str):
    answer += "200 result=0\n"  # to what we ask besides
    if (command, end) == ("EXEC", "dead channel"):
        answer = f"HANGUP\n{answer}"  # which was told before
    agi = Agi(fake_channel.read_from(b"\n", answer.encode()), BytesIO())
    file = tmp_path / "recorded"
    file.with_suffix(".wav").touch()

    def ask() -> object:
        match command:
            case "STREAM FILE":
                return agi.play(file, "5")
            case "EXEC":
                return agi.play_together([str(file), str(file)])
            case "WAIT FOR DIGIT":
                return agi.wait_for_digit(1000)
            case "RECORD FILE":
                return agi.record_file(file, "#", 60, 8)
        return agi.execute(command)

    if end in HUNG_UP and command not in ("SET VARIABLE", "GET FULL VARIABLE", "NOOP"):
        with pytest.raises(AGIHangup):
            ask()
        return
    if (command, end) == ("STREAM FILE", "no such file"):
        with pytest.raises(AGIError, match="cannot be played") as raised:
            ask()
        assert not isinstance(raised.value, AGIHangup)
        return
    answered = ask()
    if command == "RECORD FILE":
        assert answered is (end != "nothing but silence")
        assert file.with_suffix(".wav").exists() is answered
    elif pressed := {"STREAM FILE": "5", "EXEC": "5", "WAIT FOR DIGIT": "#"}.get(command):
        assert answered == (pressed if end == "a key" else "")


LOCAL = "Local/citizen@calls-00000007"


@pytest.mark.parametrize(
    ("peer", "end", "held"),
    [("PJSIP/trunk-1", "held", True), ("PJSIP/trunk-1", "not held", False), ("", "held", False)],
)
def test_hold_state_is_read_from_the_phones_own_channel(peer: str, end: str, held: bool):
    answers = f"agi_channel: {LOCAL};1\n\n200 result=1 ({peer})\n".encode()
    asked = BytesIO()

    answer = Agi(BytesIO(answers + fake_channel.said("GET FULL VARIABLE", end)), asked).line()

    assert answer.is_held is held
    commands = [f'GET FULL VARIABLE "${{BRIDGEPEER}}" "{LOCAL};2"']
    commands += [f'GET FULL VARIABLE "${{CHANNEL(rtp,hold,audio)}} ${{HOTLINE_BACK}}" "{peer}"'] * (
        peer != ""
    )
    assert asked.getvalue().decode().splitlines() == commands


def test_phone_whose_channel_is_gone_does_not_hold():
    gone = fake_channel.said("GET FULL VARIABLE", "no such channel")

    assert Agi(BytesIO(f"agi_channel: {LOCAL};1\n\n".encode() + gone), BytesIO()).line() == (False, 0)
