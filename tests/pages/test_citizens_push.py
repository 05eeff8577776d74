"""Push notices in the citizens' app: switched on, shown by the worker, opened by a tap.

No browser of the tests has a push service. Its subscription is made up, and its messages are handed to the
worker by the browser's debugger.
"""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import MutedNotice, PushSubscription
from hotline.citizens import vapid
from settings import Settings
from tests.factories import a_number, a_request
from tests.kit.browser import person, with_windows
from tests.kit.process import until
from tests.kit.push_service import HOST, Subscribed
from tests.pages.citizens_app import SMALL, fits, opened, signs_in

BROWSER = Subscribed()
SUBSCRIBES = """([endpoint, p256dh, auth]) => {
  let mine = null
  const unsubscribe = async () => { mine = null; return true }
  const made = { toJSON: () => ({ endpoint, keys: { p256dh, auth } }), unsubscribe }
  PushManager.prototype.getSubscription = async () => mine
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    window.__key = Array.from(new Uint8Array(applicationServerKey))
    return (mine = made)
  }
}"""
"""Fakes a browser's push service with the given address and keys."""
SHOWN = """async () => {
  const there = await (await navigator.serviceWorker.ready).getNotifications()
  return there.map(({ title, body, tag, dir, data }) => ({ title, body, tag, dir, data }))
}"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    city = {"push_key": vapid.make_key(), "push_contact": "mailto:it@city.example", "push_services": (HOST,)}
    return settings.model_copy(update=city)


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Iterator[Browser]:
    with with_windows(chromium) as started:
        yield started


@pytest.fixture
def telephone(chromium: Browser) -> Iterator[BrowserContext]:
    with person(chromium, locale="fa-IR", viewport=SMALL, permissions=[]) as context:
        yield context


@pytest.fixture
def elsewhere(telephone: BrowserContext, url: str) -> list[str]:
    """Return the app's requests to other hosts."""
    asked: list[str] = []

    def stop(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    telephone.route(lambda address: not address.startswith(url), stop)
    return asked


@pytest.fixture
def account(telephone: BrowserContext, url: str, engine: Engine, settings: Settings, number: str) -> Page:
    page = opened(telephone, url)
    signs_in(page, engine, settings, number)
    page.get_by_role("link", name="من", exact=True).click()
    page.get_by_role("heading", name="خبر گزارش‌ها").wait_for()
    return page


def takes(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(PushSubscription.endpoint)))


def test_push_is_enabled_chosen_and_removed(
    elsewhere: list[str], telephone: BrowserContext, account: Page, engine: Engine, settings: Settings
) -> None:
    telephone.grant_permissions(["notifications"])
    account.evaluate(SUBSCRIBES, [BROWSER.endpoint, BROWSER.p256dh, BROWSER.auth])
    fits(account)
    account.get_by_role("button", name="خبرها را نشان بده").click()
    end = account.get_by_role("button", name="دیگر نشان نده")
    end.wait_for()
    assert takes(engine) == [BROWSER.endpoint]
    assert bytes(account.evaluate("window.__key")) == vapid.decode(vapid.find_public_key(settings))
    news = account.get_by_role("checkbox", name="خبر در میانهٔ کار: پیامک")
    news.click()
    expect(news).not_to_be_checked()
    expect(news).to_be_enabled()
    with reading(engine) as session:
        (off,) = session.scalars(select(MutedNotice))
        assert (off.topic.value, off.way.value) == ("news", "text")
    end.click()
    account.get_by_role("button", name="خبرها را نشان بده").wait_for()
    assert (takes(engine), elsewhere) == ([], [])
    account.get_by_role("button", name="خبرها را نشان بده").click()
    end.wait_for()
    account.get_by_role("button", name="خروج از این گوشی").click()
    account.get_by_role("link", name="ورود با شماره").first.wait_for()
    assert takes(engine) == []


def test_denied_permission_is_shown_and_nothing_kept(account: Page, engine: Engine) -> None:
    account.evaluate("Notification.requestPermission = async () => 'denied'")
    account.get_by_role("button", name="خبرها را نشان بده").click()
    expect(account.get_by_role("alert").filter(has_text="پیامک مانند پیش می‌آید")).to_be_visible()
    assert takes(engine) == []


def test_push_is_shown_and_a_tap_opens_the_request(
    telephone: BrowserContext, account: Page, url: str, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        tracking = a_request(session, number=number).tracking
    telephone.grant_permissions(["notifications"])
    debugger = telephone.new_cdp_session(account)
    registrations: list[str] = []
    debugger.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(each["registrationId"] for each in told["registrations"]),
    )
    debugger.send("ServiceWorker.enable")
    until(lambda: account.evaluate("1") and registrations, "the browser tells of its worker")
    notice = {"title": "شهروند ۱۳۷", "request": tracking, "tag": "7", "language": "fa"}
    for body in ("خبر تازه", "خبر تازه‌تر"):  # the second takes the place of the first
        debugger.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": url, "registrationId": registrations[0], "data": json.dumps(notice | {"body": body})},
        )
        shown = {"title": notice["title"], "body": body, "tag": "7", "dir": "rtl", "data": tracking}
        until(lambda shown=shown: account.evaluate(SHOWN) == [shown], "it alone is shown")
    (worker,) = telephone.service_workers
    worker.evaluate("""async () => {
      const [notification] = await self.registration.getNotifications()
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
    }""")
    account.wait_for_url(f"{url}/my/requests/{tracking}")
    until(lambda: account.evaluate(SHOWN) == [], "the notice is gone")


def test_city_without_a_push_key_offers_text_messages_only(
    telephone: BrowserContext, engine: Engine, settings: Settings, number: str
) -> None:
    from tests.kit.served import served

    alone = settings.model_copy(update={"push_key": "", "push_contact": ""})
    with served(alone) as address:
        page = opened(telephone, address)
        signs_in(page, engine, alone, number)
        page.get_by_role("link", name="من", exact=True).click()
        expect(page.get_by_role("checkbox")).to_have_count(5)
        expect(page.get_by_role("button", name="خبرها را نشان بده")).to_have_count(0)
