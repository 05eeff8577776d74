"""A citizen's channels for notices of requests: text message, browser, or none."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.access import InForce, Reading
from api.my import my_schemas as wire
from api.my.signed_in import Acting, Citizen
from db.models import CitizenSession, NoticeTopic, NoticeWay
from hotline.citizens import notification_preferences, subscriptions, vapid
from settings import Settings

router = APIRouter(prefix="/my", tags=["my"])


@router.get("/notices")
def show_notices(citizen: Citizen, session: Reading, settings: InForce) -> wire.MyNotices:
    """My channels for notices of my requests, and of those that I follow."""
    return _view(session, citizen, settings)


@router.put("/notices")
def choose(body: wire.MyNotice, citizen: Citizen, session: Acting, settings: InForce) -> wire.MyNotices:
    """Choose the channels for a topic; if no browser takes the notice, a text message goes out."""
    ways = [way for way in NoticeWay if getattr(body, way)]
    notification_preferences.choose(session, citizen.number, body.topic, ways)
    return _view(session, citizen, settings)


@router.put("/push")
def subscribe(body: wire.PushBrowser, citizen: Citizen, session: Acting, settings: InForce) -> wire.MyNotices:
    """Let this browser take notices until its session ends; at most five browsers of a number do."""
    browser = subscriptions.Browser(body.endpoint, body.p256dh, body.auth)
    subscriptions.subscribe(session, citizen, browser, settings)
    return _view(session, citizen, settings)


@router.delete("/push", status_code=204)
def unsubscribe(citizen: Citizen, session: Acting) -> None:
    """Stop notices to this browser."""
    subscriptions.unsubscribe(session, citizen)


def _view(session: Session, citizen: CitizenSession, settings: Settings) -> wire.MyNotices:
    off = {(each.topic, each.way) for each in notification_preferences.list_muted(session, citizen.number)}
    return wire.MyNotices(
        push_key=vapid.find_public_key(settings),
        here=subscriptions.is_subscribed(session, citizen, settings),
        topics=[
            wire.MyNotice(topic=topic, **{way.value: (topic, way) not in off for way in NoticeWay})
            for topic in NoticeTopic
        ],
    )
