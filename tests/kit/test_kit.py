"""The test kit itself: each phone, ear, server and browser does what the other tests rely on."""

import io
import socket
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import sqlalchemy as sa

from tests.kit import ports, sound
from tests.kit.browser import browser, page_heard, person
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.exchange import Exchange
from tests.kit.phone import Phone
from tests.kit.ports import free_port, free_range, give_back
from tests.kit.postgres import Postgres
from tests.kit.process import Program, ProgramError, need, until
from tests.kit.reused_database import ReusedDatabase
from tests.kit.sipp import SippPhone
from tests.kit.sound import THRESHOLD, Recording, best_score, heard, tone_level

DIGITS = ["صفر", "یک", "دو", "سه", "چَهار", "پنج", "شش", "هفت", "هشت", "نُه"]
WORDS = {str(digit): word for digit, word in enumerate(DIGITS)} | {
    "twenty": "بیست",
    "twenty-and": "بیستُ",
    "your-number": "شمارهٔ شما",
    "goodbye": "از تماسِ شما سپاسگزاریم. خدا نگهدار",
    "menu": "برای ثبت نام عددِ یک، برای پیگیری عددِ دو را فشار دهید",
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Persian clips of 8 kHz, as the telephone system plays them."""
    folder = tmp_path_factory.mktemp("clips")
    for name, words in WORDS.items():
        wide = folder / "wide.wav"
        speak = [need("espeak-ng", "espeak-ng"), "-v", "fa", "-s", "140", "-p", "65", "-w", wide]
        subprocess.run([*speak, words], check=True)
        samples, rate = soundfile.read(wide)
        soundfile.write(folder / f"{name}.wav", soxr.resample(samples, rate, 8000) * 0.7, 8000)
    return {name: folder / f"{name}.wav" for name in WORDS}


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """Makes a wav with a tone."""
    folder = tmp_path_factory.mktemp("tones")

    def make(hz: int) -> Path:
        path = folder / f"{hz}.wav"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(8000) / 8000), 8000)
        return path

    return make


# ---------------------------------------------------------------------------------------- ports, programs


def test_given_two_workers_when_both_take_ports_then_none_is_taken_twice():
    take = "from tests.kit.ports import *; print(*[free_port() for _ in range(60)], free_range(150).first)"
    root = Path(__file__).parents[2]
    mine = {free_port() for _ in range(60)} | {free_range(150).first}
    theirs = set(map(int, subprocess.check_output([sys.executable, "-c", take], cwd=root).split()))
    assert len(mine) == len(theirs) == 61
    assert not mine & theirs


def test_given_a_range_that_was_given_back_when_all_are_taken_then_another_may_have_it(monkeypatch):
    monkeypatch.setattr(ports, "FIRST", 32_000)  # where nobody else takes any
    monkeypatch.setattr(ports, "LAST", 32_200)
    first = free_range(200)
    with pytest.raises(RuntimeError, match="claimed"):
        free_range(200)
    give_back(first)
    assert free_range(200) == first
    give_back(first)


def test_given_a_program_with_children_when_it_is_stopped_then_all_are_gone(tmp_path):
    log = tmp_path / "log"
    with Program(["sh", "-c", "sleep 99 & echo $!; wait"], folder=tmp_path, log=log) as program:
        program.ready(lambda: log.read_text().strip())
        child = Path("/proc", log.read_text().strip())
        assert child.exists()
    assert not program.alive()
    until(lambda: not child.exists() or ") Z " in child.joinpath("stat").read_text(), "the child gone")


def test_given_a_program_that_fails_when_it_starts_then_its_last_words_are_told(tmp_path):
    sick = Program(["sh", "-c", "echo no bread; exit 1"], folder=tmp_path, log=tmp_path / "log")
    with sick, pytest.raises(ProgramError, match="no bread"):
        sick.ready(lambda: False)


# ---------------------------------------------------------------------------------------- sound


def coded(samples, law="ALAW"):
    """The samples after the telephone's coding."""
    raw = io.BytesIO()
    soundfile.write(raw, samples, 8000, format="RAW", subtype=law)
    raw.seek(0)
    options = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": law, "dtype": "float32"}
    return soundfile.read(raw, **options)[0]


def spoken(clips, names, pauses):
    """The clips one after another with pauses between them (in samples), as a caller hears them."""
    parts = [np.zeros(1600)]
    for name, pause in zip(names, pauses, strict=True):
        parts += [sound.load(clips[name]).samples, np.zeros(pause)]
    return coded(np.concatenate([*parts, np.zeros(1600)]))


def clean(samples, random):
    return samples


def quiet_mu_law(samples, random):
    return coded(samples * 0.2, "ULAW")


def lost_packets(samples, random):
    """One packet in two hundred is missing: the sound after it comes earlier."""
    frames = [samples[at : at + 160] for at in range(0, len(samples), 160)]
    return np.concatenate([frame for frame in frames if random.random() > 0.005])


def late_packets(samples, random):
    """One packet in two hundred is replaced by silence, and as many come twice."""
    frames = []
    for at in range(0, len(samples), 160):
        frame, chance = samples[at : at + 160], random.random()
        frames += [frame * 0] if chance < 0.005 else [frame, frame] if chance < 0.01 else [frame]
    return np.concatenate(frames)


def other_clock(samples, random):
    """The player's clock runs 100 ppm slow."""
    return soxr.resample(samples, 10_000, 10_001)


@pytest.mark.parametrize("way", [clean, quiet_mu_law, lost_packets, late_packets, other_clock])
def test_given_clips_in_any_order_when_they_cross_the_line_then_all_are_heard_in_order(clips, way):
    random = np.random.default_rng(137)
    for _ in range(3):
        names = [str(name) for name in random.choice(list(clips), 10)]
        line = way(spoken(clips, names, random.integers(0, 800, 10)), random)
        matches = heard(Recording(line, 8000), clips)
        assert [match.clip for match in matches] == names
        assert all(a.start < b.start for a, b in pairwise(matches))


def test_given_one_clip_when_all_are_looked_for_then_the_threshold_lies_far_between(clips):
    right, wrong = [], []
    for played in clips:
        line = Recording(spoken(clips, [played], [0]), 8000)
        for name, path in clips.items():
            (right if name == played else wrong).append(best_score(line, path))
    assert min(right) > 0.99
    assert max(wrong) < THRESHOLD - 0.05  # «هفت» and «هشت» are the closest: 0.78
    assert np.quantile(wrong, 0.95) < 0.6


def test_given_noise_silence_or_nothing_when_listened_to_then_no_clip_is_heard(clips):
    noise = np.random.default_rng(137).normal(0, 0.1, 40_000)
    for samples in (noise, np.zeros(40_000), np.zeros(0), np.zeros(100)):
        assert heard(Recording(samples, 8000), clips) == []
        assert tone_level(Recording(samples, 8000), 440) < 0.1


def test_given_two_tones_when_their_levels_are_taken_then_each_has_its_share(tone):
    both = sound.load(tone(440)).samples + 0.5 * sound.load(tone(1000)).samples
    recording = Recording(coded(both), 8000)
    assert tone_level(recording, 440) == pytest.approx(0.8, abs=0.02)
    assert tone_level(recording, 1000) == pytest.approx(0.2, abs=0.02)
    assert tone_level(recording, 700) < 0.001


# ---------------------------------------------------------------------------------------- phones


def test_given_two_phones_when_they_speak_then_each_hears_the_other_and_not_itself(tone):
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


def test_given_a_phone_that_says_clips_when_another_listens_then_it_hears_them(clips, tmp_path):
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
        citizen.wait_for_sound(0.2)
        assert citizen.recording().seconds < 1
    matches = heard(recording, clips)
    assert [match.clip for match in matches] == said
    assert min(match.score for match in matches) > 0.99


def test_given_a_phone_that_refuses_or_is_cancelled_then_the_caller_learns_it():
    with Phone("1") as caller, Phone("2") as other:
        caller.dial(other.uri)
        other.wait_for_call()
        other.reject()
        assert caller.wait_for("closed").reason.startswith("486")
        caller.dial(other.uri)
        call = other.wait_for_call()
        caller.hangup()
        other.wait_for("closed", call=call)
        assert other.rang == 2


# ---------------------------------------------------------------------------------------- odd phones


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "404 Not Found", "480 Away"])
def test_given_an_odd_phone_when_it_is_called_then_it_refuses_once(status):
    with Phone() as caller, SippPhone.refusing(status) as odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        assert caller.wait_for("closed").reason == status
        odd.wait_for("ACK")
        assert odd.rang == 1


def test_given_an_odd_phone_when_it_answers_then_it_speaks_and_presses_keys_and_hangs_up(tone):
    odd = SippPhone.answering(
        after_ms=150, keys="1#", keys_after_ms=600, hangup_after_ms=1500, sound=tone(1000)
    )
    with Phone() as caller, odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        caller.wait_for("ringing")
        caller.wait_for_keys("1#")
        call = caller.wait_for("closed")
        assert call.reason == "Connection reset by peer"
        assert odd.wait_for("BYE").sent
        assert tone_level(caller.recording(call), 1000) > 0.9


def test_given_a_phone_nobody_answers_when_the_caller_gives_up_then_it_was_cancelled():
    with Phone() as caller, SippPhone.ringing() as odd:
        caller.dial(f"sip:09131234567@127.0.0.1:{odd.port}")
        odd.wait_for("INVITE")
        caller.wait_for("ringing")
        caller.hangup()
        odd.wait_for("CANCEL")
        odd.wait_for("SIP/2.0 487")


@pytest.mark.parametrize(
    "caller",
    ['"Ali [field0] ]]> & \\ علی" <sip:+989131234567;x="$(id)@127.0.0.1>', "<sip:\udcff@127.0.0.1>"],
)
def test_given_hostile_headers_when_sipp_calls_then_they_are_sent_byte_for_byte(caller):
    identity = "<sip:'; DROP TABLE x; --@127.0.0.1>"
    with SippPhone.refusing("486 Busy Here") as other:
        target = f"127.0.0.1:{other.port}"
        with SippPhone.calling(target, caller=caller, identity=identity) as odd:
            odd.wait(10)
            invite = other.wait_for("INVITE")
    assert invite.header("From").rpartition(";tag=")[0] == caller
    assert invite.header("P-Asserted-Identity") == identity


def test_given_sipp_calls_when_it_hangs_up_or_cancels_then_the_phone_sees_it():
    with Phone("137", auto_answer=True) as desk:
        target = f"127.0.0.1:{desk.port}"
        with SippPhone.calling(target, "09131234567", hangup_after_ms=300, keys="5", keys_after_ms=0) as odd:
            assert desk.wait_for_keys("5").peer == "sip:09131234567@127.0.0.1"
            assert odd.wait(10)
            desk.wait_for("closed")
    with Phone("137") as desk:
        target = f"127.0.0.1:{desk.port}"
        with SippPhone.calling(target, cancel_after_ms=200) as odd:
            assert odd.wait(10)
            assert desk.wait_for("closed").states == ["closed"]


def test_given_many_callers_when_sipp_calls_then_each_number_calls_once():
    numbers = [f"0913000{i:04}" for i in range(30)]
    with SippPhone.answering() as other:
        target = f"127.0.0.1:{other.port}"
        with SippPhone.calling(target, numbers, rate=100, hangup_after_ms=100) as odd:
            assert odd.wait(10)
        other.wait_for("BYE", 30)
        assert [invite.header("From").split("@")[0] for invite in other.calls()] == [
            f"<sip:{number}" for number in numbers
        ]


def test_given_an_exchange_when_numbers_are_dialled_then_each_reaches_its_phone_once():
    with Exchange() as exchange, Phone() as caller, Phone() as ali, SippPhone.refusing("603 No") as sara:
        exchange.connect("+989131111111", ali)
        exchange.connect("09132222222", sara)
        caller.dial(f"sip:09131111111@{exchange.address}")
        ali.wait_for_call()
        ali.answer()
        caller.wait_for("established")
        caller.hangup()
        ali.wait_for("closed")
        caller.dial(f"sip:+989132222222@{exchange.address}")
        assert caller.wait_for("closed").reason.startswith("603")
        caller.dial(f"sip:09133333333@{exchange.address}")
        assert caller.wait_for("closed").reason.startswith("404")
        assert [number for number, _ in exchange.invites] == ["09131111111", "+989132222222", "09133333333"]
        assert (exchange.rang("09131111111"), sara.rang) == (1, 1)


# ---------------------------------------------------------------------------------------- database


@pytest.fixture(scope="module")
def server():
    with Postgres() as server:
        yield server


def rows(url, *statements):
    """Run the statements in one transaction; the rows of the last one."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        return results[-1].all() if results[-1].returns_rows else []


def test_given_a_database_when_it_is_copied_then_the_copies_are_independent(server):
    golden = server.create_database("golden")
    rows(golden, "CREATE TABLE words (word text)", "INSERT INTO words VALUES ('سلام')")
    first, second = (server.create_database(name, "golden") for name in ("first", "second"))
    rows(first, "DELETE FROM words")
    assert rows(first, "SELECT word FROM words") == []
    assert rows(second, "SELECT word FROM words") == [("سلام",)]
    assert rows(server.create_database("first", "golden"), "SELECT word FROM words") == [("سلام",)]


def test_given_a_database_when_it_is_used_again_then_it_is_as_the_template_whatever_was_done_to_it(server):
    parts = "(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, of int REFERENCES parts, word text)"
    template = server.create_database("template")
    rows(template, f"CREATE TABLE parts {parts}", "INSERT INTO parts (word) VALUES ('سلام')")
    reused = ReusedDatabase(server, "template")
    for harm in (
        ("INSERT INTO parts (of, word) VALUES (1, 'x')", "UPDATE parts SET word = 'y'"),
        ("DELETE FROM parts",),
        ("ALTER TABLE parts RENAME TO lost",),
        ("CREATE TABLE more (id int)",),
    ):
        rows(reused.fresh(), *harm)
        url = reused.fresh()
        assert rows(url, "SELECT * FROM parts") == [(1, None, "سلام")], harm
        assert rows(url, "INSERT INTO parts (of) VALUES (1) RETURNING id") == [(2,)], harm
        assert rows(url, "SELECT to_regclass('more')") == [(None,)], harm


def test_given_a_database_when_it_is_used_again_many_times_then_no_dead_rows_pile_up(server):
    template = server.create_database("template")
    rows(template, "CREATE TABLE words (word text)")
    reused = ReusedDatabase(server, "template")
    fill = "INSERT INTO words SELECT repeat('x', 100) FROM generate_series(1, 1000)"
    sizes = [rows(reused.fresh(), fill, "SELECT pg_relation_size('words')")[0][0] for _ in range(4)]
    assert sizes == sizes[:1] * 4


def test_given_a_connection_that_locks_when_the_database_is_used_again_then_it_is_gone(server):
    template = server.create_database("template")
    rows(template, "CREATE TABLE words (word text)")
    reused = ReusedDatabase(server, "template")
    engine = sa.create_engine(reused.fresh())
    with engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE words")
        assert rows(reused.fresh(), "SELECT * FROM words") == []
        with pytest.raises(sa.exc.OperationalError):
            connection.exec_driver_sql("SELECT 1")
    engine.dispose()


def test_given_a_server_when_it_dies_and_starts_again_then_it_answers(server):
    server.kill()
    with pytest.raises(sa.exc.OperationalError):
        rows(server.url, "SELECT 1")
    server.start()
    assert rows(server.url, "SELECT 1") == [(1,)]


# ---------------------------------------------------------------------------------------- browser

CALL_ITSELF = """async () => {
  const here = new RTCPeerConnection(), there = new RTCPeerConnection();
  here.onicecandidate = (event) => event.candidate && there.addIceCandidate(event.candidate);
  there.onicecandidate = (event) => event.candidate && here.addIceCandidate(event.candidate);
  const voice = await navigator.mediaDevices.getUserMedia({ audio: true });
  voice.getTracks().forEach((track) => here.addTrack(track, voice));
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
}"""


@pytest.fixture
def strict_site(tmp_path):
    """A page whose policy allows no script but its own files."""

    class Strict(SimpleHTTPRequestHandler):
        def end_headers(self):
            self.send_header("Content-Security-Policy", "default-src 'self'; script-src 'self'")
            super().end_headers()

        def log_message(self, *args):
            pass

    (tmp_path / "index.html").write_text("<!doctype html><title>137</title><link rel=icon href=data:,>")
    site = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(Strict, directory=tmp_path))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{site.server_port}/"
    site.shutdown()
    site.server_close()


@pytest.mark.timeout(60)
def test_given_a_strict_page_when_it_is_called_then_what_it_hears_is_known(strict_site, clips):
    with browser(clips["your-number"]) as chromium, person(chromium) as someone:
        page = someone.new_page()
        page.goto(strict_site)
        page.evaluate(CALL_ITSELF)
        recording = page_heard(page, seconds=4.5)
    scores = {name: best_score(recording, clip) for name, clip in clips.items()}
    assert max(scores, key=scores.get) == "your-number"
    assert scores["your-number"] > 0.6  # a busy browser stretches sound: 0.85 to 0.97 on two busy cores


def test_given_a_trunk_that_refused_a_call_when_the_same_call_is_asked_again_then_it_is_refused_again():
    # The answer was late, and the trunk is back: a phone that rang for it would never hear of anybody.
    with Crowd(free_port(), lambda *_: Behaviour()) as crowd, socket.socket(type=socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10)
        crowd.trunk_says = "503 Service Unavailable"
        for _ in range(2):
            wire.sendto(_INVITE.replace("\n", "\r\n").encode(), ("127.0.0.1", crowd.port))
            assert wire.recv(2000).startswith(b"SIP/2.0 503")
            crowd.trunk_says = None
        assert (crowd.turned_away(), crowd.calls()) == (["09131230000"], [])


_INVITE = """INVITE sip:09131230000@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1
From: <sip:137@127.0.0.1>;tag=1
To: <sip:09131230000@127.0.0.1>
Call-ID: once
CSeq: 1 INVITE
Contact: <sip:137@127.0.0.1>
Content-Type: application/sdp
Content-Length: 0

v=0
c=IN IP4 127.0.0.1
m=audio 4000 RTP/AVP 8
"""
