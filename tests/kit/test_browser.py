"""The browser: what a page hears of a call is known, under a strict policy as well."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.kit.browser import browser, page_heard, person
from tests.kit.ports import free_port
from tests.kit.sound import best_score

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


@pytest.mark.long
def test_page_with_a_strict_policy_can_be_heard(strict_site, clips):
    with browser(clips["your-number"]) as chromium, person(chromium) as someone:
        page = someone.new_page()
        page.goto(strict_site)
        page.evaluate(CALL_ITSELF)
        recording = page_heard(page, seconds=4.5)
    scores = {name: best_score(recording, clip) for name, clip in clips.items()}
    assert max(scores, key=scores.get) == "your-number"
    assert scores["your-number"] > 0.6  # a busy browser stretches sound: 0.85 to 0.97 on two busy cores
