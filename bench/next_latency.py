"""Time from «next» on the official's page until official and citizen hear each other, with one citizen ready.

The page's clock starts when the button is pressed. The official hears when the next citizen's tone is in the
browser's remote track. The citizen hears when the official's tone is in the packets to the citizen's phone.
This bench is that phone. The signalling is sipp's; one socket receives and sends all calls' sound, each with
its own tone.

Beside it stands the time of any sound from a citizen's phone to the page during a conversation. The citizen's
tone changes, and the page hears the new one. No system of ours can save that part.

Two calls come before that, while nobody is ready: one in an ordinary round, and one in a recorded round. The
citizen's phone rings for 0.1 s. The citizen listens to the end of the question and presses 1.
"""

import itertools
import os
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page

from db.models import Role
from tests.kit import brief, scenario
from tests.kit.brief import sized
from tests.kit.browser import browsers, person
from tests.kit.operator import Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.performance import measured
from tests.kit.process import until
from tests.kit.rtp_sender import A_LAW, FRAME, TELEPHONE_EVENT, key_frames
from tests.kit.sipp import SippPhone
from tests.kit.system import System

REPETITIONS = sized(25, 2)
GOAL_MS = 300
ROWS = (
    "the API has answered",
    "the citizen is in the room",
    "the official hears",
    "the citizen hears",
    "both hear",
    "phone to page while they talk",
)
DESK_HZ = 1000
CITIZENS_HZ = (400, 600, 800)
GOAL_LISTENS_S = 8.0
REACTION_S = 0.6
"""From the end of the question to the key, as in tests/ivr/scripts/test_seconds.py."""
LATE_S = 320.0
"""The moment in six agreed minutes at which the next citizen is called."""
_PURE = 0.5
_QUIET_S = 0.25 + REACTION_S
"""Silence after which the citizen presses: a clip ends with a quarter second of it."""
_SECOND = np.arange(8000) / 8000

# The next citizen's tone in the remote track: a window of 21 ms, checked every 5 ms.
EAR = """
(() => {
  const size = 1024, hop = 256, rate = 48000
  const window_ = new Float32Array(size)
  let hz = 0
  window.__await = (wanted) => { hz = wanted; window.__heardAt = window.__pressedAt = 0 }
  const clock = () => performance.timeOrigin + performance.now()
  addEventListener('pointerdown', () => { window.__pressedAt ||= clock() }, true)
  const look = (event) => {
    window_.copyWithin(0, hop)
    window_.set(event.inputBuffer.getChannelData(0), size - hop)
    if (!hz || window.__heardAt) return
    let re = 0, im = 0, all = 1e-9
    window_.forEach((x, n) => {
      const turn = 2 * Math.PI * hz * n / rate
      re += x * Math.cos(turn); im += x * Math.sin(turn); all += x * x
    })
    if (all > 0.1 && 2 * (re * re + im * im) / size / all > 0.5) window.__heardAt = clock()
  }
  const Original = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args)
      this.addEventListener('track', ({ track }) => {
        const context = new AudioContext({ sampleRate: rate })
        const ear = context.createScriptProcessor(hop, 1, 1)
        ear.onaudioprocess = look
        context.createMediaStreamSource(new MediaStream([track])).connect(ear)
        ear.connect(context.destination)
      })
    }
  }
})()
"""


# When the last «next» was answered, on the page's clock. 0: not yet, since a ready citizen may be heard
# before.
ANSWERED = """
() => {
  const asked = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/desk/next'))
  if (!asked.length) return 0
  performance.clearResourceTimings()
  return performance.timeOrigin + asked.at(-1).responseEnd
}
"""

Stream = tuple[tuple[str, int], bytes]
"""A call's source address, and its SSRC: Asterisk reuses a port for a later call."""


class Citizens:
    """All citizens' sound on one socket: each call presses 1, then sends its tone and hears the desk's.

    A citizen who `listens` presses after the question, the others 1.5 s after their phone answered.
    """

    def __init__(self, *, listens: bool = False) -> None:
        self._listens = listens
        self._have_left = False
        self._loud: dict[Stream, float] = {}
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.bind(("127.0.0.1", 0))
        self.calls: list[Stream] = []
        self._pressing: dict[Stream, Iterator[tuple[bool, int, bytes] | None]] = {}
        self._heard: dict[Stream, float] = {}
        self._changed: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._speak, daemon=True).start()

    @property
    def port(self) -> int:
        """The address to which Asterisk sends the sound."""
        return int(self.wire.getsockname()[1])

    def heard_at(self, call: int) -> float:
        """When the call first heard the desk, in seconds since 1970; 0: not yet."""
        return self._heard.get(self.calls[call], 0.0)

    def hz(self, call: int) -> int:
        """The tone that the call sends."""
        return CITIZENS_HZ[self._tone(call)]

    def _tone(self, call: int) -> int:
        # a changed tone is neither the call's own nor the next call's, for which the page waits meanwhile
        return (call + 2 * (call in self._changed)) % len(CITIZENS_HZ)

    def change(self, call: int) -> float:
        """Let the call send another tone from now on; return that time, in seconds since 1970."""
        self._changed.add(call)
        return time.time()

    def leave(self) -> None:
        """Send nothing more: Asterisk reuses the ports for later calls."""
        self._have_left = True

    def _listen(self) -> None:
        while True:
            packet, peer = self.wire.recvfrom(2048)
            stream = (peer, packet[8:12])
            if stream not in self._pressing:
                before: Iterator[None] = self._questions(stream) if self._listens else iter([None] * 75)
                self._pressing[stream] = itertools.chain(before, key_frames("1"))
                self.calls.append(stream)
            if packet[1] & 0x7F == A_LAW and _is_loud(packet[12:]):
                self._loud[stream] = time.monotonic()
            if packet[1] & 0x7F == A_LAW and stream not in self._heard and _is_tone(packet[12:], DESK_HZ):
                self._heard[stream] = time.time()

    def _questions(self, stream: Stream) -> Iterator[None]:
        """Yield for each packet that the citizen sends until the question is over."""
        while time.monotonic() - self._loud.get(stream, float("inf")) < _QUIET_S:
            yield None

    def _speak(self) -> None:
        tones = [_alaw(0.4 * np.sin(2 * np.pi * hz * _SECOND)) for hz in CITIZENS_HZ]
        began, number = time.monotonic(), 0
        while not self._have_left:
            number += 1
            time.sleep(max(0.0, began + number / 50 - time.monotonic()))  # 50 packets a second
            for call, stream in enumerate(list(self.calls)):
                start = number * FRAME % 8000
                kind, stamp, body = A_LAW, number, tones[self._tone(call)][start : start + FRAME]
                if press := next(self._pressing[stream], None):
                    _, age, body = press
                    kind, stamp = TELEPHONE_EVENT, number - age
                head = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, stamp * FRAME, 137 + call)
                if stream[0] not in [later[0] for later in self.calls[call + 1 :]]:
                    self.wire.sendto(head + body, stream[0])


def _alaw(samples: np.ndarray) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        soundfile.write(file.name, samples, 8000, format="RAW", subtype="ALAW")
        return Path(file.name).read_bytes()


_LINEAR = np.empty(256)


def _learn_alaw() -> None:
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        Path(file.name).write_bytes(bytes(range(256)))
        _LINEAR[:] = soundfile.read(file.name, samplerate=8000, channels=1, format="RAW", subtype="ALAW")[0]


def _is_loud(packet: bytes) -> bool:
    """Return whether 20 ms of sound are more than silence."""
    return float(np.abs(_LINEAR[np.frombuffer(packet, np.uint8)]).max(initial=0)) > 0.02


def _is_tone(packet: bytes, hz: int) -> bool:
    """Return whether 20 ms of sound are mostly this tone."""
    samples = _LINEAR[np.frombuffer(packet, np.uint8)]
    energy = float((samples**2).sum())
    part = np.abs((samples * np.exp(-2j * np.pi * hz * _SECOND[: len(samples)])).sum()) ** 2
    return energy > len(samples) * 1e-3 and float(2 * part / len(samples) / energy) > _PURE


def _phone(system: System, media: int) -> SippPhone:
    """A SIP phone that answers every call; the call's sound goes elsewhere."""
    answer = scenario.SDP.replace("[rtpstream_audio_port]", str(media))
    steps = scenario.received() + scenario.ring(100) + scenario.reply("200 OK", answer, how='retrans="500"')
    return SippPhone(steps + '<recv request="ACK"/>' + scenario.ending(None, "", ""), port=system.trunk_port)


def _once(system: System, page: Page, official: Operator, citizens: Citizens, call: int) -> list[float]:
    """Press «next» once; return the milliseconds of ROWS."""
    before = official.http.get("/me").json()["callback"]["id"]
    system.talks_for(before, LATE_S)
    page.get_by_test_id("finishing").click()
    in_state(page, "up-next", "waiting", timeout=60)
    until(lambda: len(citizens.calls) > call, "the next citizen's phone has sound")
    page.wait_for_timeout(1000 + 37 * call % 500)  # at no fixed phase of any clock
    page.evaluate("hz => window.__await(hz)", citizens.hz(call))
    page.get_by_test_id("next").click()
    heard = _heard_at(page)
    until(lambda: citizens.heard_at(call) > 0, "the citizen hears the desk")
    pressed = page.evaluate("() => window.__pressedAt")
    answered = page.wait_for_function(ANSWERED, polling=50, timeout=15_000).json_value()
    now_ = official.http.get("/me").json()["callback"]["id"]
    official.wait_for(now_, "talking")
    joined = system.callback(now_).talking_at
    assert joined and now_ != before
    both = max(heard, citizens.heard_at(call) * 1000)
    moments = [answered, joined.timestamp() * 1000, heard, citizens.heard_at(call) * 1000, both]
    changed = citizens.change(call)
    page.evaluate("hz => window.__await(hz)", citizens.hz(call))
    return [*(moment - pressed for moment in moments), _heard_at(page) - changed * 1000]


def _heard_at(page: Page) -> float:
    """Return when the page heard the awaited tone, in milliseconds since 1970."""
    page.wait_for_function("() => window.__heardAt", polling=50, timeout=15_000)
    return float(page.evaluate("() => window.__heardAt"))


@contextmanager
def _sitting(system: System, official: Operator, media: int, folder: Path) -> Iterator[Page]:
    """The page of an official who is free, with a phone for every citizen."""
    tone = folder / "desk.wav"
    soundfile.write(tone, 0.4 * np.sin(2 * np.pi * DESK_HZ * _SECOND), 8000, subtype="PCM_16")
    with (
        _phone(system, media),
        browsers() as start,
        person(start(tone), locale="fa-IR", timezone_id="Asia/Tehran") as office,
    ):
        office.add_init_script(EAR)
        page = office.new_page()
        sign_in(page, system, official.username, "/official")
        page.get_by_test_id("sit-down").click()
        in_state(page, "serving-state", "free")
        yield page


def _measure(system: System, round_id: int, folder: Path) -> list[list[float]]:
    official, citizens = system.operator(Role.OFFICIAL, round_id), Citizens()
    for _ in range(REPETITIONS + 3):
        system.register(round_id, system.number(), subject=1)
    with _sitting(system, official, citizens.port, folder) as page:
        page.get_by_test_id("next").click()
        in_state(page, "serving-state", "talking", timeout=60)
        return [_once(system, page, official, citizens, call) for call in range(1, REPETITIONS + 1)]


def _listened(system: System, round_id: int, folder: Path) -> float:
    """Return the seconds from «next» until both hear, with a citizen who listens to every word."""
    official, citizens = system.operator(Role.OFFICIAL, round_id), Citizens(listens=True)
    system.register(round_id, system.number(), subject=1)
    with _sitting(system, official, citizens.port, folder) as page:
        page.evaluate("hz => window.__await(hz)", CITIZENS_HZ[0])
        page.get_by_test_id("next").click()
        heard = _heard_at(page)
        until(lambda: citizens.calls and citizens.heard_at(0) > 0, "the citizen hears the desk")
        pressed = page.evaluate("() => window.__pressedAt")
    citizens.leave()
    return max(heard, citizens.heard_at(0) * 1000) / 1000 - float(pressed) / 1000


def main() -> None:
    """Print the table."""
    _learn_alaw()
    print(
        f"ms from «next» with one ready, {REPETITIONS} times, {os.cpu_count()} cores that Chromium, sipp and "
        f"this bench share, load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    listened = {}
    with tempfile.TemporaryDirectory() as folder, System() as system:
        for recorded in (False, True):
            with system.only_round(recorded=recorded) as round_id:
                listened[recorded] = _listened(system, round_id, Path(folder))
        with system.only_round() as round_id:
            times = _measure(system, round_id, Path(folder))
    print(f"{'until':<28}{'median':>8}{'90 %':>8}{'most':>8}")
    for name, waits in zip(ROWS, zip(*times, strict=True), strict=True):
        p90 = statistics.quantiles(waits, n=10)[8]
        if name == "both hear":
            both = statistics.median(waits)
        print(f"{name:<28}{statistics.median(waits):>8.0f}{p90:>8.0f}{max(waits):>8.0f}")
    measured("next", both, f"{both:.0f} ms", f"any sound, phone to page: {statistics.median(waits):.0f} ms")
    print(
        f"nobody ready, the citizen listens to every word: both hear after {listened[False]:.1f} s, "
        f"recorded {listened[True]:.1f} s; goal: {GOAL_LISTENS_S}"
    )
    beside = f"not recorded: {listened[False]:.1f} s"
    measured("next-listens", listened[True], f"{listened[True]:.1f} s", beside)
    print(f"goal: both hear in at most {GOAL_MS} at the median; load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    brief.play(main)
