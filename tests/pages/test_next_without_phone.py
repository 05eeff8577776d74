"""«Next» on a desk's page without its phone: the same press connects the phone, then takes the citizen."""

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Callback, Role, User
from hotline import heartbeats
from tests.factories import a_round, some_registrations
from tests.pages.conftest import OpenAs


def _phoneless(open_as: OpenAs, engine: Engine, *, waiting: int) -> tuple[Page, int]:
    """An operator's page with so long a line, and their desk, whose phone is not connected."""
    page = open_as(Role.OPERATOR, at_desk=True)
    page.route("**/api/v1/desk/phone", lambda _route: None)  # on its way until a test says it is there
    with writing(engine) as session:
        desk = session.scalars(select(User.desk_id).where(User.desk_id.is_not(None))).one() or 0
        heartbeats.record_phone(session, desk, None)
        some_registrations(session, a_round(session), waiting)
    page.reload()
    expect(page.get_by_test_id("phone-connect")).to_be_visible()
    return page, desk


def _phone_comes(engine: Engine, desk: int) -> None:
    with writing(engine) as session:
        heartbeats.record_phone(session, desk, f"PJSIP/desk-{desk}-0000001f")


def _taken(engine: Engine) -> int:
    with reading(engine) as session:
        return len(session.scalars(select(Callback)).all())


def test_next_without_a_phone_connects_it_first(open_as: OpenAs, engine: Engine) -> None:
    page, desk = _phoneless(open_as, engine, waiting=2)
    expect(page.get_by_test_id("take-next")).to_be_enabled()
    page.keyboard.press("n")
    expect(page.get_by_test_id("phone-state")).to_have_attribute("data-state", "connecting")
    expect(page.get_by_test_id("take-next")).to_be_disabled()
    assert _taken(engine) == 0, "nobody is kept waiting for a phone"
    _phone_comes(engine, desk)
    expect(page.get_by_test_id("callback-state")).to_have_attribute("data-state", "claimed")
    assert _taken(engine) == 1


def test_next_without_a_phone_says_that_nobody_waits(open_as: OpenAs, engine: Engine) -> None:
    page, desk = _phoneless(open_as, engine, waiting=0)
    idle = page.get_by_test_id("callback-state")
    expect(idle).to_contain_text("نخست تلفن را وصل کنید")
    asked: list[str] = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    page.get_by_test_id("take-next").click()
    expect(page.get_by_test_id("phone-state")).to_have_attribute("data-state", "connecting")
    assert asked == []
    with page.expect_response("**/claims"):
        _phone_comes(engine, desk)
    expect(idle).not_to_contain_text("نخست تلفن را وصل کنید")
    expect(page.get_by_test_id("take-next")).to_be_enabled()
    assert len(asked) == 1
    expect(idle).to_contain_text("کسی در انتظار نیست")
