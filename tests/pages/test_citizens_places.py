"""The citizens' app on a telephone: a place in a round is taken, and given up."""

from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Registration, RoundWish
from db.states import Phase, RegistrationState
from settings import Settings
from tests.factories import a_number, a_round
from tests.kit.browser import person
from tests.pages.citizens_app import SMALL, fits, opened, signs_in


def test_given_an_announced_round_when_a_citizen_takes_a_place_and_gives_it_up_then_both_are_seen(
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
            assert [each.number for each in session.scalars(select(RoundWish))] == [number]
