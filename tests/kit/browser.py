"""A real browser that speaks a given sound into its microphone and whose ears can be read."""

import base64
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.kit.process import need
from tests.kit.sound import Recording

expect.set_options(timeout=30_000)  # no test says how fast a page is, on a machine that is busy

# The last such flag counts: what Playwright switches off, and the address bar's suggestions, which are two
# pages of the browser's own in each window, more to load than a page under test.
_OFF = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)
FLAGS = [
    f"--disable-features={','.join(_OFF)}",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_SHELL = "chromium-headless-shell"
"""Chromium without windows, tabs and profiles: a new person costs it half as much, a page a third less."""

_PART = 1024
"""Samples that come at once."""

# Runs before the page's own scripts, outside its content security policy. The microphone is taken as it
# is, for echo cancellation and its like swallow tones. Every remote audio track goes into one 8 kHz
# recorder; the muted element is needed because Chromium delivers no remote sound without a consumer.
EARS = """
(() => {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const devices = navigator.mediaDevices;
  if (devices) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wish) => ask(wish && wish.audio
      ? { ...wish, audio: { ...(wish.audio === true ? {} : wish.audio), ...plain } } : wish);
  }
  const heard = [];
  let ears = null;
  const listen = (track) => {
    if (!ears) {
      const context = new AudioContext({ sampleRate: 8000 });
      const recorder = context.createScriptProcessor(1024, 1, 1);
      recorder.onaudioprocess = (event) => heard.push(event.inputBuffer.getChannelData(0).slice());
      recorder.connect(context.destination);
      ears = { context, recorder };
    }
    const stream = new MediaStream([track]);
    const consumer = new Audio();
    consumer.muted = true;
    consumer.srcObject = stream;
    consumer.play().catch(() => {});
    ears.context.createMediaStreamSource(stream).connect(ears.recorder);
    ears.context.resume();
  };
  const Original = window.RTCPeerConnection;
  window.__connections = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      window.__connections.push(this);
      this.addEventListener("track", (event) => event.track.kind === "audio" && listen(event.track));
    }
  };
  window.__seconds = () => heard.length * 1024 / 8000;
  window.__heard = (since) => {
    const parts = heard.slice(since);
    const samples = new Int16Array(parts.length * 1024);
    let at = 0;
    for (const part of parts) for (const s of part)
      samples[at++] = Math.max(-1, Math.min(1, s)) * 32767;
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192)
      text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
})();
"""


@contextmanager
def browsers() -> Iterator[Callable[[Path | None], Browser]]:
    """Gives a function that starts a Chromium whose microphone plays a sound (16-bit wav), else beeps.

    One browser has one microphone: start another one for another voice.
    """
    with ExitStack() as cleanup:
        playwright = cleanup.enter_context(sync_playwright())

        def start(sound: Path | None) -> Browser:
            return _launched(playwright.chromium, _SHELL, cleanup, sound)

        yield start


@contextmanager
def browser(sound: Path | None = None) -> Iterator[Browser]:
    """Start one Chromium."""
    with browsers() as start:
        yield start(sound)


@contextmanager
def with_windows(other: Browser) -> Iterator[Browser]:
    """A whole Chromium beside this one: notices are shown by it alone."""
    with ExitStack() as cleanup:
        yield _launched(other.browser_type, "chromium", cleanup)


def _launched(kind: BrowserType, program: str, cleanup: ExitStack, sound: Path | None = None) -> Browser:
    home = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="chromium-"))
    chromium = kind.launch(
        executable_path=need(program, program),
        args=FLAGS + ([f"--use-file-for-fake-audio-capture={sound}"] if sound else []),
        chromium_sandbox=os.geteuid() != 0,
        env={**os.environ, "HOME": home},
    )
    cleanup.callback(chromium.close)
    return chromium


_NOT_ASKED = "Blocked attempt to show a 'beforeunload' confirmation panel"
"""Chromium's own remark, where a test reloads a page in a conversation before anybody has touched it."""


def _said(line: ConsoleMessage) -> Iterator[str]:
    """Yield a page's complaints, each with its address."""
    if line.type == "error" and not line.text.startswith(_NOT_ASKED):
        yield f"{line.text} {urlsplit(line.location['url']).path}"


@contextmanager
def person(chromium: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A person at the browser: own cookies, may use the microphone, and can be asked what was `heard`.

    They wish for no motion, unless a test does: what slides is drawn sixty times a second, and waited for.
    Everything a page logs or throws is in `context.complaints`, for assertions that nothing went wrong.
    """
    context = chromium.new_context(**{"permissions": ["microphone"], "reduced_motion": "reduce", **options})
    context.add_init_script(EARS)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda line: complaints.extend(_said(line)))
    context.complaints = complaints  # type: ignore[attr-defined]
    try:
        yield context
    finally:
        context.close()


def page_seconds(page: Page) -> float:
    """How much the page heard so far from its peer connections."""
    return float(page.evaluate("window.__seconds()"))


def page_heard(page: Page, seconds: float = 0, *, since: float = 0) -> Recording:
    """Return the sound of the page after `since`, at 8 kHz; wait for `seconds` in all."""
    if seconds:
        page.wait_for_function("(wanted) => window.__seconds() >= wanted", arg=seconds, polling=50)
    part = int(since * 8000 / _PART)
    samples = np.frombuffer(base64.b64decode(page.evaluate("(part) => window.__heard(part)", part)), "<i2")
    return Recording(samples.astype(np.float32) / 32768, 8000)
