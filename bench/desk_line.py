"""The desk's page with 10,000 waiting: how smoothly the line scrolls, and how soon a new registration
appears.

A real browser uses the API's process and SQLite. The browser counts frames while the line scrolls from its
head to its end. A registration is timed from its commit until the page shows the new count.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page
from sqlalchemy import Engine

from db.engine import connect, writing
from db.migrate import upgrade
from hotline.line import registration
from settings import load
from settings.addresses import Address
from tests.factories import PASSWORD, a_desk, a_number, a_round, a_user, some_registrations
from tests.kit import brief
from tests.kit.brief import sized
from tests.kit.browser import browser, person
from tests.kit.ports import free_port
from tests.kit.process import Program

WAITING = sized(10_000, 100)
REGISTRATIONS = sized(20, 2)
GOAL = "median frame under 20 ms, a registration seen within 1000 ms"
PROJECT = Path(__file__).parent.parent

# Scrolls a quarter of a screen with every frame, quicker than a hand on the wheel. Records the time of each
# frame.
SCROLL = """
async () => {
  const rows = document.querySelector('[role=rowgroup][tabindex]')
  const frames = []
  let last = performance.now()
  while (rows.scrollTop + rows.clientHeight < rows.scrollHeight - 1 && frames.length < 3000) {
    rows.scrollTop += rows.clientHeight / 4
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    last = now
  }
  return frames.slice(1)
}
"""


def _sign_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("line-row").first.wait_for()


def _seen_after(page: Page, engine: Engine, round_id: int, count: int) -> float:
    """Return milliseconds from a registration's commit until the page counts one more."""
    with writing(engine) as session:
        registration.register(session, round_id=round_id, number=a_number(), subject=1)
    committed = time.monotonic()
    page.locator(f'[data-testid=line-waiting][data-count="{count}"]').wait_for()
    return (time.monotonic() - committed) * 1000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        address = Address("127.0.0.1", free_port())
        settings = load(_env_file=None, state_dir=Path(folder), http=address)
        engine = connect(settings.database)
        upgrade(engine)
        with writing(engine) as session:
            username = a_user(session, a_desk(session)).username
            round_ = a_round(session)
            some_registrations(session, round_, WAITING)
            round_id = round_.id
        environment = {"HOTLINE_STATE_DIR": folder, "HOTLINE_HTTP": str(address)}
        url = f"http://{address}"
        command = [sys.executable, "-m", "ops.process", "api"]
        with (
            Program(command, folder=PROJECT, log=Path(folder) / "api.log", env=environment) as api,
            browser() as chromium,
            person(chromium, viewport={"width": 1440, "height": 900}) as operator,
        ):
            api.ready(lambda: _answers(url), timeout=60)
            page = operator.new_page()
            _sign_in(page, url, username)
            frames = sorted(page.evaluate(SCROLL))
            seen = [_seen_after(page, engine, round_id, WAITING + n) for n in range(1, REGISTRATIONS + 1)]
        engine.dispose()
    print(
        f"{WAITING} waiting, {len(frames)} frames of scrolling: median {statistics.median(frames):.0f} ms, "
        f"99th percentile {frames[len(frames) * 99 // 100]:.0f} ms, worst {frames[-1]:.0f} ms"
    )
    print(
        f"{REGISTRATIONS} registrations from commit to the page: median {statistics.median(seen):.0f} ms, "
        f"worst {max(seen):.0f} ms"
    )
    print(f"goal: {GOAL}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/me").status_code == 401
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    brief.play(main)
