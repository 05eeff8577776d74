"""Messages to citizens: the page keeps its filter, and says why a message is not out."""

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import writing
from db.models import Delivery, DeliveryFailure, OutboxKind, OutboxMessage, Role
from db.states import Phase
from hotline.messages import delivery, outbox
from tests.factories import a_round, some_registrations
from tests.kit.outbox import NEVER
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


def some_messages(engine: Engine) -> list[int]:
    """One that is too late, one that failed, one that waits; their ids."""
    with writing(engine) as session:
        for one in some_registrations(session, a_round(session, Phase.OPEN), 3):
            outbox.tell(session, OutboxKind.REGISTERED, one, about_round=one.round_id)
        late, failed, waits = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        late.state, late.why, late.error = Delivery.EXPIRED, DeliveryFailure.TOO_LATE, "too late"
        failed.state, failed.why, failed.error = Delivery.FAILED, DeliveryFailure.NUMBER, "411"
        return [late.id, failed.id, waits.id]


def row(page: Page, id_: int):  # type: ignore[no-untyped-def]
    return page.locator(f"[data-testid=message][data-id='{id_}']")


def test_filter_survives_leaving_the_page(open_as: OpenAs, url: str, engine: Engine) -> None:
    late, failed, waits = some_messages(engine)
    page = open_as(Role.PUBLIC_RELATIONS, "outbox")
    page.get_by_test_id("state").select_option("failed")
    expect(row(page, late)).to_have_count(0)
    page.get_by_test_id("kind").select_option("registered")
    page.get_by_test_id("lost").check(force=True)
    assert page.url == f"{url}/outbox?state=failed&kind=registered&lost=1"
    page.reload()
    expect(row(page, failed)).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_value("failed")
    expect(page.get_by_test_id("lost")).to_be_checked()
    expect(page.get_by_test_id("message")).to_have_count(1)
    page.goto(f"{url}/outbox?state=nonsense&kind=%00")
    expect(row(page, waits)).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_value("")


def test_message_past_its_deadline_is_not_resent_and_says_why(open_as: OpenAs, engine: Engine) -> None:
    late, failed, _ = some_messages(engine)
    page = open_as(Role.PUBLIC_RELATIONS, "outbox?state=expired")
    row(page, late).get_by_test_id("again").click()
    told = page.get_by_test_id("sent-again")
    expect(told).to_have_attribute("data-state", "pending")
    expect(row(page, late)).to_have_count(0)
    with writing(engine) as session:  # as the scheduler does: its round is over by now
        taken = delivery.take_up(session, quiet=NEVER, texts=True, limit=10)
        why = delivery.NotSent("not true any more", DeliveryFailure.UNTRUE)
        for message in taken:
            delivery.drop(session, delivery.Taken(message.id, message.attempts), why)
    expect(told).to_have_attribute("data-state", "expired")
    expect(told).to_contain_text("این بار هم فرستاده نشد، دیگر درست نیست")
    is_fit(page)
    page.get_by_test_id("state").select_option("failed")
    row(page, failed).get_by_test_id("again").click()
    expect(told).to_have_count(2)
    expect(told.first).to_have_attribute("data-state", "pending")
