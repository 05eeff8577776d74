"""Browsers that take notices: which addresses are believed, how many there are, and when they are gone."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import CitizenSession, MutedNotice, NoticeTopic, NoticeWay, PushSubscription
from hotline.citizens import (
    account_contents,
    erasure,
    notification_preferences,
    sessions,
    subscriptions,
    vapid,
)
from hotline.errors import Refused
from settings import Settings, SettingsError, load
from tests.factories import a_number
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.push_service import Subscribed

MOZILLA = "updates.push.services.mozilla.com"
KEY = vapid.make_key()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"push_key": KEY, "push_contact": "mailto:it@city.example"})


def one_more(number: str, session: Session) -> CitizenSession:
    """A session of the number."""
    at, name = now(session), f"{number[1:]}{len(sessions.list_by_number(session, number))}"
    rest = {"agent": "", "refresh_hash": name, "rotated_at": at, "created_at": at, "access_until": at}
    mine = CitizenSession(id=name, number=number, access_hash=name, expires_at=at + sessions.REFRESH, **rest)
    session.add(mine)
    session.flush()
    return mine


def browser(path: str = "/wpush/1", host: str = MOZILLA) -> subscriptions.Browser:
    made = Subscribed(path, host)
    return subscriptions.Browser(made.endpoint, made.p256dh, made.auth)


def all_of(session: Session) -> list[str]:
    return list(session.scalars(select(PushSubscription.endpoint).order_by(PushSubscription.id)))


@pytest.mark.parametrize(
    "endpoint",
    [
        f"http://{MOZILLA}/a",
        f"https://{MOZILLA}:8443/a",
        f"https://user@{MOZILLA}/a",
        f"https://{MOZILLA}@127.0.0.1/a",
        f"https://127.0.0.1\\@{MOZILLA}/a",
        f"https://{MOZILLA}\n/a",
        f"https://{MOZILLA}.evil.example/a",
        "https://push.apple.com/a",
        "https://evilpush.apple.com.example/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://localhost/a",
        f"https://{'a' * 70}.push.apple.com/a",
        "https://..push.apple.com/a",
        f"https://{MOZILLA}/" + "a" * 500,
        "https://[/a",
        "",
    ],
)
def test_unknown_push_service_is_refused(session: Session, settings: Settings, endpoint: str) -> None:
    mine = one_more(a_number(), session)
    with pytest.raises(Refused, match="push-address"):
        subscriptions.subscribe(session, mine, browser()._replace(endpoint=endpoint), settings)
    assert all_of(session) == []


@pytest.mark.parametrize(
    "host", [MOZILLA, "fcm.googleapis.com", "web.push.apple.com", "a.b.notify.windows.com"]
)
def test_known_push_service_is_accepted(settings: Settings, host: str) -> None:
    assert subscriptions.is_allowed(f"https://{host}/some/thing:with?token=1", settings)
    assert subscriptions.is_allowed(f"https://{host}:443/", settings)


@pytest.mark.parametrize(
    "wrong", [{"public_key": "AAAA"}, {"public_key": "!" * 87}, {"secret": "AAAA"}, {"secret": "é"}]
)
def test_invalid_push_keys_are_refused(session: Session, settings: Settings, wrong: dict[str, str]) -> None:
    mine = one_more(a_number(), session)
    with pytest.raises(Refused, match="push-keys"):
        subscriptions.subscribe(session, mine, browser()._replace(**wrong), settings)


def test_subscription_without_a_city_key_is_refused(session: Session, settings: Settings) -> None:
    mine = one_more(a_number(), session)
    off = settings.model_copy(update={"push_key": ""})
    with pytest.raises(Refused, match="push-off"):
        subscriptions.subscribe(session, mine, browser(), off)
    assert not subscriptions.is_subscribed(session, mine, off)


@in_both
def test_browser_subscribed_by_another_number_changes_owner(session: Session, settings: Settings) -> None:
    one, other = (one_more(a_number(), session) for _ in range(2))
    for mine in (one, one, other):
        subscriptions.subscribe(session, mine, browser(), settings)
    assert all_of(session) == [browser().endpoint]
    assert not subscriptions.is_subscribed(session, one, settings)
    assert subscriptions.is_subscribed(session, other, settings)
    anew = settings.model_copy(update={"push_key": vapid.make_key()})
    assert not subscriptions.is_subscribed(session, other, anew), "by another key it takes nothing"


@in_both
def test_browser_above_the_limit_replaces_the_oldest_one(session: Session, settings: Settings) -> None:
    number = a_number()
    for nth in range(subscriptions.MOST + 2):
        subscriptions.subscribe(session, one_more(number, session), browser(f"/{nth}"), settings)
    assert all_of(session) == [browser(f"/{nth}").endpoint for nth in range(2, subscriptions.MOST + 2)]


@in_both
@pytest.mark.parametrize("end", ["one", "everywhere", "time", "delete me"])
def test_ended_session_loses_its_browser(session: Session, settings: Settings, end: str) -> None:
    mine = one_more(a_number(), session)
    subscriptions.subscribe(session, mine, browser(), settings)
    notification_preferences.choose(session, mine.number, NoticeTopic.NEWS, [NoticeWay.PUSH])
    number = mine.number
    assert (
        account_contents.export(session, number, who="u")["takes_notices"][0]["address"] == browser().endpoint
    )
    if end == "one":
        sessions.end(session, mine.id)
    elif end == "everywhere":
        sessions.end_all(session, number)
    elif end == "time":
        mine.expires_at = now(session)
        session.flush()
        assert subscriptions.list_by_number(session, number) == []
        sessions.forget(session)
    else:
        erasure.delete_citizen(session, number, who="u", give_up=False)
    session.flush()
    assert all_of(session) == []
    assert (session.scalar(select(MutedNotice)) is None) == (end == "delete me")


@in_both
def test_last_notice_choice_holds_for_its_number_alone(
    session: Session,
) -> None:
    number, topic = a_number(), NoticeTopic.SOLVED
    assert set(notification_preferences.list_wanted_ways(session, number, topic)) == set(NoticeWay)
    for ways in ([], [NoticeWay.TEXT], [NoticeWay.TEXT]):
        notification_preferences.choose(session, number, topic, ways)
    assert notification_preferences.list_wanted_ways(session, number, topic) == [NoticeWay.TEXT]
    assert set(notification_preferences.list_wanted_ways(session, number, NoticeTopic.NEWS)) == set(NoticeWay)
    assert set(notification_preferences.list_wanted_ways(session, a_number(), topic)) == set(NoticeWay)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"push_key": KEY}, "push.contact in messages.toml"),
        ({"push_key": "A" * 43, "push_contact": "mailto:it@city.example"}, "push.key in messages.toml"),
        ({"push_key": "x", "push_contact": "mailto:it@city.example"}, "push.key in messages.toml"),
        ({"push_contact": "it@city.example"}, "push.contact in messages.toml"),
        ({"push_services": "127.0.0.1"}, "push.services in messages.toml"),
        ({"push_services": "*"}, "push.services in messages.toml"),
    ],
)
def test_incomplete_push_settings_are_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        load(_env_file=None, **given)
    assert KEY not in str(refused.value)
