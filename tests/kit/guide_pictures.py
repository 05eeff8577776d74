"""The pictures of the Persian guides (docs/fa): the real pages in the invented city, what to press ringed.

`make guide-pictures`. Which there are is said by the guides themselves; a test compares.
"""

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import connect, now, writing
from db.migrate import upgrade
from db.models import Callback, Desk, Role, Round, User
from db.states import CallbackState as C
from db.states import Outcome
from settings import load
from settings.addresses import Address
from tests.factories import MINUTE, PASSWORD, a_user, some_registrations
from tests.kit import seed_city
from tests.kit.browser import browser, person
from tests.kit.ports import free_port
from tests.kit.served import served
from tests.kit.system import PROJECT

FOLDER = PROJECT / "docs" / "fa" / "pictures"
_SIZE = {"width": 1280, "height": 760}
_QUALITY = 72
_RING = """(element) => {
  const at = element.getBoundingClientRect(), ring = document.createElement('div')
  Object.assign(ring.style, {
    position: 'absolute', left: `${at.x + scrollX - 7}px`, top: `${at.y + scrollY - 7}px`,
    width: `${at.width + 14}px`, height: `${at.height + 14}px`,
    border: '4px solid #d9480f', borderRadius: '10px', zIndex: 9999, pointerEvents: 'none',
  })
  ring.className = 'guide-ring'
  document.body.append(ring)
}"""


@dataclass
class Camera:
    """Takes one page after the other."""

    page: Page
    url: str
    engine: Engine
    folder: Path

    def open(self, path: str) -> None:
        """Go there, and wait until all of it is there."""
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until every request is answered."""
        self.page.get_by_role("main").wait_for()
        self.page.get_by_test_id("loading").wait_for(state="hidden")
        expect(self.page.locator('[aria-busy="true"]')).to_have_count(0)
        self.page.evaluate("document.fonts.ready")

    def shoot(self, name: str, *pressed: Locator) -> None:
        """Take what is seen, with a ring around each of these."""
        for one in pressed:
            one.first.scroll_into_view_if_needed()
        for one in pressed:
            one.first.evaluate(_RING)
        taken = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
        taken.convert("RGB").save(self.folder / f"{name}.webp", quality=_QUALITY, method=6)
        self.page.evaluate("document.querySelectorAll('.guide-ring').forEach((ring) => ring.remove())")

    def button(self, name: str) -> Locator:
        """The button that is called so."""
        return self.page.get_by_role("button", name=name)

    def sign_in(self, username: str) -> None:
        """Sign in as the form does."""
        self.page.goto(self.url)
        self.page.get_by_test_id("username").fill(username)
        self.page.get_by_test_id("password").fill(PASSWORD)
        self.page.get_by_test_id("submit").click()
        self.page.get_by_test_id("sign-out").wait_for()

    def sign_out(self) -> None:
        """Sign out, so that somebody else can sign in."""
        self.page.get_by_test_id("sign-out").click()
        self.page.get_by_test_id("username").wait_for()

    def call(self, username: str, state: C | None) -> None:
        """The call of this person's desk is in this state; None: there is none."""
        with writing(self.engine) as session:
            user = session.scalars(select(User).where(User.username == username)).one()
            query = select(Callback).where(Callback.desk_id == user.desk_id, Callback.state != C.CLOSED)
            callback = session.scalar(query)
            if callback is None:
                assert user.desk and user.desk.round_id
                round_ = session.get_one(Round, user.desk.round_id)
                seed_city._talks(session, round_, some_registrations(session, round_, 1)[0], user)
                session.flush()
                callback = session.scalars(query).one()
            callback.state = state or C.CLOSED
            callback.ended_at = now(session) if state in (C.ENDED, None) else None
            callback.outcome = Outcome.REACHED if state is None else None
            if state is C.CLAIMED:
                callback.called_at = callback.answered_at = callback.confirmed_at = callback.talking_at = None
            if state is C.TALKING:
                callback.talking_at = now(session) - 2 * MINUTE
            events.append_callback(session, callback)

    def phone(self, username: str, *, connected: bool) -> None:
        """The desk's telephone is in its room, or away."""
        with writing(self.engine) as session:
            user = session.scalars(select(User).where(User.username == username)).one()
            assert user.desk
            user.desk.phone, user.desk.phone_connected = ("sip" if connected else "browser"), connected


def _people(engine: Engine) -> None:
    """An operator and an official of the round that is live, each with a desk, and a technician."""
    with writing(engine) as session:
        live = session.scalars(
            select(Round).where(Round.opened_at.is_not(None), Round.ended_at.is_(None))
        ).first()
        assert live
        for username, name, role in (
            ("operator7", "سارا نمونه", Role.OPERATOR),
            ("official7", "مسئول نمونه", Role.OFFICIAL),
        ):
            desk = Desk(phone="browser", phone_connected=False)
            desk.round_id = live.id if role is Role.OPERATOR else None
            session.add(desk)
            session.flush()
            user = a_user(session, desk, username)
            user.name, user.role = name, role
            user.official_id = live.official_id if role is Role.OFFICIAL else None
        administrator = a_user(session, username="admin7")
        administrator.name, administrator.role = "مدیر نمونه", Role.ADMINISTRATOR


def _operator(camera: Camera, _town: seed_city.Town) -> None:
    page, me = camera.page, "operator7"
    page.goto(camera.url)
    page.get_by_test_id("username").fill(me)
    page.get_by_test_id("password").fill("x" * 10)
    camera.shoot("sign-in", page.get_by_test_id("username"), page.get_by_test_id("submit"))
    camera.sign_in(me)
    camera.open("desk")
    camera.shoot("operator-phone", page.get_by_test_id("phone-connect"))
    camera.phone(me, connected=True)
    camera.open("desk")
    camera.shoot("operator-next", camera.button("نفر بعدی"))
    camera.call(me, C.CLAIMED)
    camera.open("desk")
    camera.shoot("operator-call", camera.button("تماس").filter(has_text="تماس").first)
    camera.call(me, C.TALKING)
    camera.open("desk")
    camera.shoot("operator-talk", camera.button("پایان تماس"))
    camera.shoot("operator-note", page.get_by_test_id("note"), camera.button("ثبت و ارجاع به اداره"))
    camera.button("ثبت و ارجاع به اداره").click()
    camera.settle()
    camera.shoot("operator-report", page.get_by_role("dialog").get_by_role("button").last)
    page.keyboard.press("Escape")
    camera.call(me, C.ENDED)
    camera.open("desk")
    reached = page.get_by_text("گفت‌وگو انجام شد", exact=True).first
    reached.click()
    camera.shoot("operator-outcome", reached, page.get_by_test_id("save-outcome"))
    camera.call(me, None)
    camera.sign_out()


def _official(camera: Camera, _town: seed_city.Town) -> None:
    page, me = camera.page, "official7"
    camera.sign_in(me)
    camera.open("official")
    camera.shoot("official-begin", page.get_by_test_id("phone-connect"), page.get_by_test_id("sit-down"))
    camera.phone(me, connected=True)
    with writing(camera.engine) as session:
        user = session.scalars(select(User).where(User.username == me)).one()
        live = session.scalars(select(Round.id).where(Round.opened_at.is_not(None), Round.ended_at.is_(None)))
        assert user.desk
        user.desk.round_id = live.first()
    camera.open("official")
    camera.shoot("official-next", camera.button("بعدی"))
    camera.call(me, C.TALKING)
    camera.open("official")
    camera.shoot("official-talk", camera.button("پایان گفت‌وگو"), camera.button("رو به پایان"))
    page.get_by_test_id("said-written").fill("روشنایی کوچه تا پایان هفته درست می‌شود.")
    camera.shoot("official-promise", page.get_by_test_id("said-written"), page.get_by_test_id("said-promise"))
    page.get_by_test_id("said-promise").click()
    camera.settle()
    camera.call(me, C.ENDED)
    camera.open("official")
    camera.shoot("official-ended", camera.button("بعدی"))
    camera.call(me, None)
    camera.open("promises")
    camera.shoot("official-promises")
    camera.sign_out()


def _department(camera: Camera, town: seed_city.Town) -> None:
    page = camera.page
    camera.sign_in(town.department)
    camera.open("inbox")
    link = page.get_by_test_id("request").filter(has_text="تازه رسیده").nth(2).get_by_role("link")
    camera.shoot("department-inbox", link)
    link.click()
    page.get_by_test_id("accept").wait_for()
    camera.settle()
    camera.shoot("department-accept", page.get_by_test_id("accept"))
    page.get_by_test_id("to-solve").click()
    camera.shoot("department-solved", page.get_by_test_id("words"), page.get_by_test_id("say"))
    camera.sign_out()


def _technician(camera: Camera, _town: seed_city.Town) -> None:
    page = camera.page
    camera.sign_in("admin7")
    camera.open("people")
    camera.shoot("people", page.get_by_test_id("add-person"))
    page.get_by_test_id("add-person").click()
    camera.shoot("person", page.get_by_role("dialog").get_by_role("button").last)
    page.keyboard.press("Escape")
    camera.open("kept")
    camera.shoot("kept")
    camera.open("control")
    camera.shoot("control")
    camera.sign_out()


def take(to: Path) -> None:
    """Take them all anew."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="guides-") as folder, browser() as chromium:
        settings = load(
            _env_file=None,
            state_dir=Path(folder),
            http=Address("127.0.0.1", free_port()),
            asterisk_http=Address("127.0.0.1", free_port()),
            second_factor_roles=(),
        )
        engine = connect(settings.database)
        upgrade(engine)
        town = seed_city.fill(engine)
        _people(engine)
        with served(settings) as url, person(chromium, locale="fa-IR", viewport=_SIZE) as context:
            camera = Camera(context.new_page(), url, engine, to)
            for part in (_operator, _official, _department, _technician):
                part(camera, town)


if __name__ == "__main__":
    take(FOLDER)
