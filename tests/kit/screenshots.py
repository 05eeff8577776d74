"""Pictures of every page and state, light and dark, at a desk's and a phone's width, into docs/screenshots.

`make screenshots`. Ten of them are in the repository.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import connect, now, writing
from db.migrate import upgrade
from db.models import Callback, Desk, Role, User
from db.states import CallbackState as C
from db.states import Outcome
from settings import Settings, load
from settings.addresses import Address
from tests.factories import MINUTE, PASSWORD, a_desk, a_user
from tests.kit import seed_city
from tests.kit.browser import browser, person
from tests.kit.pages import DESK, PHONE
from tests.kit.ports import free_port
from tests.kit.served import served
from tests.kit.system import PROJECT

FOLDER = PROJECT / "docs" / "screenshots"
_IN_ENGLISH = ("desk", "rounds")
_FULL_HEIGHT = 2400
"""A longer page is cut: the rest of a line looks like its beginning."""
_CALL_STATES = {
    "ready": C.CLAIMED,
    "calling": C.RINGING,
    "waiting": C.WAITING,
    "talking": C.TALKING,
    "held": C.HELD,
    "parting": C.PARTING,
    "after": C.ENDED,
    "over": C.CLOSED,
}
"""The seven states of a call (web/src/callbacks/call-states.ts), and that in which its end can be undone."""
_CALL_PAGES = ("desk", "official")


def _settings(folder: Path) -> Settings:
    return load(
        _env_file=None,
        state_dir=folder,
        http=Address("127.0.0.1", free_port()),
        asterisk_http=Address("127.0.0.1", free_port()),
        second_factor_roles=(),
        browser_phone=True,
    )


def _take(page: Page, url: str, path: str, suffix: str = "") -> None:
    page.goto(f"{url}/{path}")
    page.get_by_role("main").wait_for()
    page.get_by_test_id("loading").wait_for(state="hidden")
    page.evaluate("document.fonts.ready")
    _shoot(page, (path.strip("/").replace("/", "-") or "sign-in") + suffix)


def _shoot(page: Page, name: str) -> None:
    """The page as it stands, in both schemes and at both widths."""
    for width, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        height = min(page.evaluate("document.documentElement.scrollHeight"), _FULL_HEIGHT)
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
        expect(page.locator('[aria-busy="true"]')).to_have_count(0)
        for scheme, mark in (("light", ""), ("dark", "-dark")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=FOLDER / f"{name}{mark}-{width}.png", animations="disabled")
    page.emulate_media(color_scheme="light")


def _sign_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("sign-out").wait_for()


@contextmanager
def _city(fill: Callable[[Engine], object]) -> Iterator[tuple[str, Engine]]:
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        settings = _settings(Path(folder))
        engine = connect(settings.database)
        upgrade(engine)
        fill(engine)
        with served(settings) as url:
            yield url, engine


def _call_states(page: Page, url: str, engine: Engine) -> None:
    """The desk's citizen in each state of a call."""
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.username == "manager")).one()
        mine = select(Callback.id).where(Callback.desk_id == user.desk_id, Callback.state == C.TALKING)
        id_ = session.scalars(mine).one()
    for name, state in _CALL_STATES.items():
        with writing(engine) as session:
            callback, at = session.get_one(Callback, id_), now(session)
            talked = state in (C.TALKING, C.HELD, C.PARTING, C.ENDED, C.CLOSED)
            callback.state = state
            callback.talking_at = at - 2 * MINUTE if talked else None
            callback.held_at = at if state is C.HELD else None
            callback.held_until = at + 5 * MINUTE if state is C.HELD else None
            callback.parting_at = at + MINUTE / 6 if state is C.PARTING else None
            callback.ended_at = at if state in (C.ENDED, C.CLOSED) else None
            callback.outcome = Outcome.REACHED if state is C.CLOSED else None
            events.append_callback(session, callback)
        for path in _CALL_PAGES if state is not C.CLOSED else ("official",):
            _take(page, url, path, f"-call-{name}")


def _errors(page: Page, url: str) -> None:
    """Show the missing parts of a form, a refusal, and a server that is not there."""
    page.goto(f"{url}/timetable")
    page.get_by_test_id("add-rule").click()
    page.get_by_test_id("save-rule").click()
    page.locator('[aria-invalid="true"]').first.wait_for()
    _shoot(page, "timetable-form-lacking")
    page.goto(f"{url}/rounds")
    page.get_by_test_id("make-round").click()
    page.get_by_test_id("minutes").fill("x")
    page.get_by_test_id("save-round").click()
    _shoot(page, "rounds-form-lacking")
    page.goto(f"{url}/holidays")
    page.get_by_test_id("add-holiday").click()
    page.get_by_test_id("confirm").click()
    page.locator('[aria-invalid="true"]').first.wait_for()
    _shoot(page, "holidays-form-lacking")
    page.goto(f"{url}/nowhere/at/all")
    page.get_by_role("main").wait_for()
    _shoot(page, "not-here")
    page.goto(f"{url}/rounds")
    page.get_by_test_id("sign-out").wait_for()
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_test_id("rail-requests").click()
    page.get_by_test_id("connection-lost").wait_for()
    _shoot(page, "connection-lost")
    page.unroute("**/api/**")


def _town(chromium: Browser) -> None:
    there: list[seed_city.Town] = []
    with _city(lambda engine: there.append(seed_city.fill(engine))) as (url, engine):
        (town,) = there
        with person(chromium, locale="fa-IR") as context:
            page = context.new_page()
            for path in ["sign-in", "phone", "my", "my/report", "my/rounds", *town.public]:
                _take(page, url, path)
            page.goto(url)
            page.get_by_test_id("submit").click()
            _shoot(page, "sign-in-lacking")
            _sign_in(page, url, town.administrator)
            for path in town.paths:
                _take(page, url, path)
            _errors(page, url)
            page.set_viewport_size(DESK)  # type: ignore[arg-type]
            page.get_by_test_id("language").click()
            for path in _IN_ENGLISH:
                _take(page, url, path, "-en")
            page.get_by_test_id("language").click()
            _call_states(page, url, engine)
            page.set_viewport_size(DESK)  # type: ignore[arg-type]
            page.get_by_test_id("sign-out").click()
            _sign_in(page, url, town.department)
            for path in town.inbox:
                _take(page, url, path)


def _an_administrator(engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session), username="manager")
        user.role = Role.ADMINISTRATOR
        session.get_one(Desk, user.desk_id).phone_connected = True


def _nothing(chromium: Browser) -> None:
    """The first day: every page as it is empty."""
    with _city(_an_administrator) as (url, _), person(chromium, locale="fa-IR") as context:
        page = context.new_page()
        _sign_in(page, url, "manager")
        for path in seed_city.pages():
            _take(page, url, path, "-empty")


def main() -> None:
    """Take them all anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with browser() as chromium:
        _town(chromium)
        _nothing(chromium)


if __name__ == "__main__":
    main()
