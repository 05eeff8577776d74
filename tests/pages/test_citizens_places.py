"""The citizens' app on a telephone: a place in a round is taken, and given up."""

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Registration, RoundAlert
from db.states import Fact, Phase, RegistrationState
from hotline.ledger import entries, seals
from hotline.line import registration
from settings import Settings
from tests.factories import a_number, a_round
from tests.kit.browser import person
from tests.pages.citizens_app import SMALL, fits, opened, signs_in


@pytest.mark.core
def test_place_is_taken_and_given_up_in_the_app(
    chromium: Browser, url: str, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    with writing(engine) as session:
        a_round(session, Phase.OPEN)

    def states() -> list[RegistrationState]:
        with reading(engine) as session:
            mine = select(Registration.state).where(Registration.number == number)
            return list(session.scalars(mine))

    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        page = opened(context, url)
        signs_in(page, engine, settings, number)
        page.get_by_role("link", name="دورها").click()
        page.get_by_test_id("take-place").click()
        expect(page.get_by_text("نفر ۱ صف")).to_be_visible()
        expect(page.get_by_test_id("take-place")).to_have_count(0)
        assert states() == [RegistrationState.WAITING]
        fits(page)

        page.get_by_role("button", name="جای خود را نمی‌خواهم").click()
        assert states() == [RegistrationState.WAITING], "only asked"
        page.get_by_role("button", name="بله، لغو شود").click()
        expect(page.get_by_test_id("take-place")).to_be_visible()
        assert states() == [RegistrationState.CANCELLED]

        page.get_by_test_id("wish-round").click()
        expect(page.get_by_text("خبر می‌دهیم.", exact=True)).to_be_visible()
        fits(page)
        page.get_by_role("button", name="دیگر نمی‌خواهم").click()
        expect(page.get_by_text("خبر می‌دهیم.", exact=True)).to_have_count(0)
        page.get_by_test_id("wish-round").click()
        expect(page.get_by_text("خبر می‌دهیم.", exact=True)).to_be_visible()
        with reading(engine) as session:
            assert [each.number for each in session.scalars(select(RoundAlert))] == [number]


def test_call_of_a_later_place_shows_in_the_ledger_on_the_phone(
    chromium: Browser, url: str, engine: Engine, settings: Settings
) -> None:
    number, later = a_number(), a_number()
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN).id
        registration.register(session, round_id=round_, number=number)
        registration.register(session, round_id=round_, number=later)
        seals.seal(session)
    check = "بررسی گواهی در همین گوشی"
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        page = opened(context, url)
        signs_in(page, engine, settings, number)
        page.goto(f"{url}/my/rounds")
        page.get_by_role("button", name=check).click()
        expect(page.get_by_test_id("meanwhile")).to_contain_text("۰ نفر دیگر فراخوانده شدند")
        fits(page)
        with writing(engine) as session:
            passing = session.scalars(select(Registration).where(Registration.number == later)).one()
            passing.state = RegistrationState.CALLING
            entries.record(session, Fact.CALLED, passing)
            seals.seal(session)
        page.get_by_role("button", name=check).click()
        expect(page.get_by_test_id("meanwhile")).to_contain_text("کسی بی‌دلیل از شما جلو افتاده است")


def test_round_alert_wish_offline_promises_no_retry(
    chromium: Browser, url: str, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    with writing(engine) as session:
        a_round(session, Phase.OPEN)
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        page = opened(context, url)
        signs_in(page, engine, settings, number)
        page.get_by_role("link", name="دورها").click()
        expect(page.get_by_test_id("wish-round")).to_be_visible()
        context.set_offline(True)
        expect(page.get_by_text("کارهای دیگر شبکه می‌خواهد", exact=False)).to_be_visible()
        page.get_by_test_id("wish-round").click()
        told = page.get_by_role("alert").filter(has_text="پاسخی نرسید")
        expect(told.first).to_be_visible()
        for said in told.all_inner_texts():
            assert "امتحان کنید" in said and "می‌کنیم" not in said
        fits(page)
        with page.expect_response("**/my/wishes"):  # what it shows is asked anew
            context.set_offline(False)
        with reading(engine) as session:
            assert not session.scalars(select(RoundAlert)).all()


def test_focus_stays_near_a_control_that_disappears(
    chromium: Browser, url: str, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        registration.register(session, round_id=round_.id, number=number)
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        page = opened(context, url)
        signs_in(page, engine, settings, number)
        page.get_by_role("link", name="دورها").press("Enter")
        card = page.locator("section[aria-labelledby=mine] li")
        page.get_by_role("button", name="جای خود را نمی‌خواهم").press("Enter")
        expect(card.get_by_role("heading")).to_be_focused()
        page.get_by_role("button", name="نه، بماند").press("Enter")
        expect(card.get_by_role("heading")).to_be_focused()
        page.get_by_test_id("wish-round").press("Enter")
        leave = page.get_by_role("button", name="دیگر نمی‌خواهم")
        expect(page.locator("section[aria-labelledby=next-round] :focus")).to_have_count(1)
        leave.press("Enter")
        expect(leave).to_have_count(0)
        expect(page.locator("section[aria-labelledby=next-round] :focus")).to_have_count(1)

        page.get_by_role("link", name="خانه").click()
        page.get_by_role("link", name="گزارش یک مشکل").click()
        page.get_by_label("چه شده است؟").fill("چراغ خاموش است")
        page.get_by_label("چه شده است؟").blur()  # «Done» on a telephone's keyboard
        context.set_offline(True)
        expect(page.get_by_text("کارهای دیگر شبکه می‌خواهد", exact=False)).to_be_visible()
        expect(page.locator(":focus")).to_have_count(0)
