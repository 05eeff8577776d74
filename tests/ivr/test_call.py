"""A call's wire: whatever Asterisk sends, that call ends with a log line and no other call notices."""

import logging
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from dialplan.variables import Variable
from ivr import server
from ivr.call import Call, WantsOperator
from settings import Settings
from tests.kit import fake_channel
from tests.kit.fake_asterisk import (
    CUT,
    HANG_UP,
    NO_FILE,
    NO_PROMPT,
    SET_BACK,
    SILENT,
    WORKING,
    End,
    FakeAsterisk,
    answering,
)

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the wire knows no database

VARIABLES = b"agi_network_script: menu\nagi_uniqueid: 1.137\nagi_callerid: 09131234567\n\n"


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A caller's time for a key is over after a second, where it is real."""
    return settings.model_copy(update={"answer_seconds": 1.0})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute's silence is over after 3 s: whoever is given little of a busy machine is not silent."""
    monkeypatch.setattr(server._Handler, "timeout", 3.0)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.exc_info]


# --- before the conversation ---


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"agi_network_script: menu\nagi_uniq", id="end in the middle of a line"),
        pytest.param(b"a" * (1 << 20), id="1 MB without a line's end"),
        pytest.param(b"agi_callerid: " + b"1" * (1 << 20) + b"\n\n", id="a line of 1 MB"),
        pytest.param(b"agi_arg: 1\n" * 10_000, id="variables without end"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="a browser"),
        pytest.param(b"\n", id="no variables at all"),
        pytest.param(VARIABLES.replace(b"menu", b"../../etc/passwd"), id="no such script"),
        pytest.param(bytes(range(256)) * 20 + b"\n\n", id="every byte there is"),
    ],
)
def test_noise_gets_no_answer_and_one_log_line(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, sent: bytes
):
    answer = asterisk.shout(sent)

    assert answer == b""
    assert len(complaints(logged)) == 1
    assert tracebacks(logged) == []
    assert asterisk.dial().finished


@pytest.mark.parametrize("sent", [b"", b"agi_network_script: menu\n"])
def test_whoever_ends_before_the_first_word_is_not_even_logged(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, sent: bytes
):
    asterisk.shout(sent)

    assert logged.records == []


@pytest.mark.parametrize("sent", [b"", b"agi_network_script: me", VARIABLES])
def test_silence_ends_the_connection(
    asterisk: FakeAsterisk,
    settings: Settings,
    impatient: None,
    logged: pytest.LogCaptureFixture,
    sent: bytes,
):
    if sent == VARIABLES:
        sent = sent.replace(b"\n\n", f"\nagi_arg_1: {settings.secret_for('agi')}\n\n".encode())
    answer = asterisk.shout(sent, stay=True)

    assert answer.count(b"\n") == (2 if b"agi_arg_1" in sent else 0)  # a wait for keys, and the end of it
    assert len(logged.records) >= 1
    assert tracebacks(logged) == []


# --- in the middle of it ---


@pytest.mark.parametrize(
    "answer",
    [
        b"\n",
        b"hello\n",
        b"200\n",
        b"200 result=abc\n",
        b"200 result=-7\n",
        b"200 result=1114112\n",
        b"200 result=99999999999999999999\n",
        b"200 result=-1 endpos=0\n",
        b"200 result=0 (hangup)\n",
        b"510 Invalid or unknown command\n",
        b"511 Command Not Permitted on a dead channel or intercept routine\n",
        b"520-Invalid command syntax.  Proper usage follows:\nno\n520 End of proper usage.\n",
        b"999 result=0\n",
        b"\xff\xfe\xc3(\n",
        b"HANGUP\nHANGUP\nHANGUP\nwhat\n",
        b"200 result=" + b"1" * (1 << 20) + b"\n",
    ],
)
@pytest.mark.parametrize("moment", ["main-menu", "menu-english", "after main-menu"])
def test_invalid_answer_ends_the_call_without_a_traceback(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, moment: str, answer: bytes
):
    heard = asterisk.dial((moment, answer))

    assert heard.prompts[-1] == moment.removeprefix("after ")
    assert not heard.finished
    assert len(logged.records) == 2, "that it began, and how it ended"
    assert tracebacks(logged) == []
    assert asterisk.dial().finished


@pytest.mark.parametrize("moment", ["greeting", "after main-menu"])
def test_silence_in_the_middle_ends_the_call(
    asterisk: FakeAsterisk, impatient: None, logged: pytest.LogCaptureFixture, moment: str
):
    heard = asterisk.dial((moment, SILENT))

    assert not heard.finished
    assert len(logged.records) == 2
    assert tracebacks(logged) == []


@pytest.mark.parametrize("moment", ["after main-menu", WORKING])
def test_wait_ends_though_asterisks_clock_was_set_back(
    asterisk: FakeAsterisk, impatient: None, logged: pytest.LogCaptureFixture, moment: str
):
    heard = asterisk.dial((moment, SET_BACK), ("main-menu-slow", "2"), ("follow-up-ask", HANG_UP))

    assert heard.prompts[-1] == "follow-up-ask"
    assert complaints(logged) == []


@pytest.mark.parametrize("how", [HANG_UP, CUT])
def test_a_hang_up_is_an_everyday_matter_and_no_warning(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, how: End
):
    asterisk.dial(("main-menu", how), channel_id="12.34")

    assert complaints(logged) == []
    assert logged.messages[-1] == "12.34: the caller hung up"


def test_the_notice_of_a_hang_up_is_not_taken_for_an_answer(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", b"HANGUP\n200 result=50 endpos=1\n"))

    assert heard.prompts[:4] == ["greeting", "menu-english", "main-menu", "follow-up-ask"]


def test_broken_calls_do_not_disturb_the_others(asterisk: FakeAsterisk, impatient: None):
    broken = [CUT, HANG_UP, SILENT, b"\xff\n", b"x" * (1 << 20) + b"\n"]

    with ThreadPoolExecutor(20) as threads:
        # Of another number: who was silent once hears the slow prompts the next time.
        bad = [
            threads.submit(asterisk.dial, ("main-menu", end), caller_id="09131234568") for end in broken * 2
        ]
        good = [threads.submit(asterisk.dial) for _ in range(10)]

    assert [call.result().finished for call in bad] == [False] * 10
    assert [call.result().finished for call in good] == [True] * 10


@pytest.mark.parametrize("away", [True, False])
def test_absent_database_logs_one_line_and_bugs_a_traceback(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, away: bool
):
    def fails(*_: object) -> None:
        raise OperationalError("", None, Exception("the connection is lost")) if away else KeyError("ours")

    monkeypatch.setattr("ivr.server.Callers.on_the_line", fails)
    asterisk.dial()

    assert len(complaints(logged)) == 1 and " failed: " in complaints(logged)[0]
    assert bool(tracebacks(logged)) is not away


# --- what is in the variables ---


@pytest.mark.parametrize(
    "evil",
    [
        '"; STREAM FILE /etc/passwd "',
        "a\\",
        "${SHELL(reboot)}",
        "line\nagi_callerid: 09139999999\nSET VARIABLE HOTLINE_CONFIRMED yes",
        "bad \udcff\udc80 bytes",
        "۰۹۱۳\u202e\u200f\x00\x07",
        "x" * 8000,
        "",
    ],
)
def test_whatever_stands_in_the_variables_the_caller_is_served(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, evil: str
):
    names = ("agi_callerid", "agi_calleridname", "agi_dnid", "agi_rdnis", "agi_channel", "agi_uniqueid")

    heard = asterisk.dial(("greeting", "2"), ("follow-up-ask", "1"), **dict.fromkeys(names, evil))

    assert heard.finished
    assert heard.variables == {"HOTLINE_FINISHED": "1"}
    assert complaints(logged) == []


def test_a_folder_with_a_blank_in_its_name_plays_its_prompts(settings: Settings, engine: Engine):
    blank = settings.model_copy(update={"state_dir": Path("/srv/City Hall/var")})

    with answering(blank, engine) as asterisk:
        heard = asterisk.dial()

    assert set(heard.folders) == {Path(f"/srv/City Hall/var/prompts/{name}") for name in ("fa", "en")}
    assert heard.finished


def test_a_value_for_the_dialplan_is_one_quoted_word_on_one_line(settings: Settings):
    written = BytesIO()
    call = Call(BytesIO(VARIABLES + b"200 result=1\n"), written, settings.prompts_dir, wait_s=1)

    call.set(Variable.CONFIRMED, 'no" \\ yes\r\nSET VARIABLE HOTLINE_FINISHED 1\x00')

    assert written.getvalue().decode().splitlines() == [
        'SET VARIABLE "HOTLINE_CONFIRMED" "no\\" \\\\ yesSET VARIABLE HOTLINE_FINISHED 1"'
    ]


# --- keys ---


def a_call(settings: Settings, *answers: bytes) -> tuple[Call, BytesIO]:
    """A call in which Asterisk answers so, and what we wrote to it."""
    written = BytesIO()
    return Call(fake_channel.read_from(VARIABLES, *answers), written, settings.prompts_dir, wait_s=1), written


def keys(text: str) -> list[bytes]:
    """How Asterisk tells these keys; a blank is a pause."""
    return [b"200 result=0\n" if key == " " else f"200 result={ord(key)}\n".encode() for key in text]


@pytest.mark.parametrize(
    ("keyed", "digits"),
    [("12#", "12"), ("1 ", "1"), ("34*12#", "12"), ("A1B2#", "12"), ("D12#", "12"), ("007#", "007")],
)
def test_an_entry_is_its_digits_and_a_star_begins_it_again(settings: Settings, keyed: str, digits: str):
    after_star = keyed.partition("*")[2]
    answers = keys(keyed.partition("*")[0] + "*") + keys(after_star) if after_star else keys(keyed)

    call, _ = a_call(settings, *answers)

    assert call.ask_digits("ask-number", at_most=15) == digits


@pytest.mark.parametrize("keyed", ["0#", "0 "])
def test_key_0_alone_reaches_the_operators_where_it_leads(settings: Settings, keyed: str):
    call, _ = a_call(settings, *keys(keyed))
    assert call.ask_digits("ask-number", at_most=15) == "0"

    call, _ = a_call(settings, *keys(keyed))
    call.leads_to_operator = True
    with pytest.raises(WantsOperator):
        call.ask_digits("ask-number", at_most=15)


def test_an_entry_without_an_end_ends(settings: Settings):
    call, _ = a_call(settings, *keys("1" * 100))

    assert len(call.ask_digits("ask-number", at_most=15)) <= 40


def test_a_key_of_a_telephone_with_sixteen_keys_is_a_wrong_one(asterisk: FakeAsterisk):
    heard = asterisk.dial(("after main-menu", b"200 result=65\n"))

    assert heard.prompts[3:5] == ["wrong-key", "main-menu"]
    assert heard.finished


# --- recordings ---


def test_recording_has_a_tone_and_ends_by_hash_or_silence(settings: Settings):
    call, written = a_call(settings, *keys(" "), b"200 result=35 (dtmf) endpos=800\n")
    call.record(settings.messages_dir / "m", 60)

    tone, record = written.getvalue().decode().splitlines()
    assert tone.startswith(f'STREAM FILE "{settings.prompts_dir}/fa/beep" ""')
    assert record == f'RECORD FILE "{settings.messages_dir}/m" wav "#" 60000 s=8'


def test_recording_is_kept_when_the_clock_is_set_back_by_days(settings: Settings):
    """Asterisk names the milliseconds that were left: by that clock more than the recording's limit."""
    left = fake_channel.said("RECORD FILE", "silence", 12 * 86_400_000)
    call, _ = a_call(settings, *keys(" "), left)

    assert call.record(settings.messages_dir / "m", 60)


def test_long_speech_is_not_cut_by_the_silence_timeout(
    asterisk: FakeAsterisk, impatient: None, monkeypatch: pytest.MonkeyPatch
):
    steps = [("main-menu", "3"), ("report-category", "1"), ("report-district", "#"), ("report-review", "3")]
    patience: list[float | None] = []
    wait_longer = server._Handler._wait_longer

    def noted(handler: server._Handler, seconds: float) -> None:
        wait_longer(handler, seconds)
        patience.append(handler.connection.gettimeout())

    monkeypatch.setattr(server._Handler, "_wait_longer", noted)
    heard = asterisk.dial(*steps)
    assert heard.finished
    assert patience == [heard.record_ms[0] / 1000 + 3, 3]
    assert not asterisk.dial(*steps, ("report-deleted", SILENT)).finished, "but patience ends with it"


def test_a_recording_that_cannot_be_made_is_no_hang_up(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture
):
    heard = asterisk.dial(
        *(("main-menu", "3"), ("report-category", "1"), ("report-district", "#")),
        ("recording", NO_FILE),
    )

    assert heard.prompts[-2:] == ["report-not-kept", "goodbye"]
    assert heard.finished
    assert tracebacks(logged) == []


@pytest.fixture
def no_prompts(asterisk: FakeAsterisk, settings: Settings) -> None:
    """None has been made."""
    settings.prompts_dir.unlink()


def test_a_prompt_that_is_missing_is_named_and_is_no_hang_up(
    asterisk: FakeAsterisk, no_prompts: None, logged: pytest.LogCaptureFixture
):
    heard = asterisk.dial(("main-menu", NO_PROMPT))

    assert not heard.finished
    (line,) = [r.getMessage() for r in logged.records if r.levelno >= logging.WARNING]
    assert line.endswith("prompts/fa/main-menu")


@pytest.mark.parametrize("secret", ["", "agi", "f" * 32, "\u06f1" * 32])
def test_client_without_the_secret_gets_one_anonymous_log_line(
    asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture, secret: str
):
    theirs = VARIABLES.replace(b"\n\n", f"\nagi_arg_1: {secret}\n\n".encode())

    assert asterisk.shout(theirs) == b""
    assert [r.getMessage() for r in logged.records] == ["not a call of our Asterisk, from 127.0.0.1"]
    assert logged.records[0].levelno == logging.WARNING


def test_variables_of_the_caller_do_not_override_our_arguments(asterisk: FakeAsterisk, settings: Settings):
    """The number dialled may hold line breaks: what it says comes before the arguments."""
    sent = (
        "agi_network_script: menu\nagi_uniqueid: 1.137\nagi_dnid: 1\nagi_arg_3: 42\nagi_uniqueid: 7\n"
        f"agi_arg_1: {settings.secret_for('agi')}\nagi_arg_2: \nagi_arg_3: 7\n\n"
    )
    call = Call(BytesIO(sent.encode()), BytesIO(), settings.prompts_dir, 1.0)

    assert (call.argument, call.again, call.channel_id) == ("7", False, "1.137")
    assert call.is_ours(settings.secret_for("agi"))


def test_a_script_that_a_fault_ends_says_so(asterisk: FakeAsterisk, no_prompts: None):
    """Else the dialplan would take it for one that could not be asked: a command has failed."""
    heard = asterisk.dial(("main-menu", NO_PROMPT))

    assert heard.variables == {"HOTLINE_FINISHED": "no"}


# --- what the log may say ---


def test_no_log_line_names_the_caller(asterisk: FakeAsterisk, logged: pytest.LogCaptureFixture):
    for steps in [(("main-menu", HANG_UP),), (("main-menu", b"what\n"),), ()]:
        asterisk.dial(*steps, caller_id="09131234567", agi_calleridname="Zohreh")
    asterisk.shout(b"agi_callerid: 09131234567\nagi_calleridname: Zohreh")

    assert len(logged.records) >= 6
    assert "9131234567" not in logged.text
    assert "Zohreh" not in logged.text
