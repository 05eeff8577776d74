"""The steps of requests, posted to the city's own address: each once, signed, without words."""

import json
from datetime import timedelta

from sqlalchemy import Engine, update
from standardwebhooks import Webhook

from db.engine import now, writing
from db.models import Category, Delivery, OutboxKind, RequestEntry
from hotline.messages import sent_messages
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.requests import closing, lifecycle, webhooks, work
from hotline.requests.open311 import submissions
from hotline.requests.open311.submissions import Brought
from hotline.requests.places import Point
from scheduler import jobs, sender
from settings import Settings
from tests.factories import a_department, at_once
from tests.hotline.ledger.tampering import free_to_edit
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.outbox import messages
from tests.kit.sms_provider import SECRET, SmsProvider

HERE = Point(32.65432, 51.66789)
REPORT = Brought(
    service="lighting",
    text="چراغ خاموش است",
    answers=(),
    point=HERE,
    place="کوی اول",
    phone="09130137137",
    language="fa",
)


def hooked(ready: Settings, url: str) -> Settings:
    return ready.model_copy(
        update={"request_webhook": f"{url}/requests/s3cr3t", "request_webhook_secret": SECRET}
    )


def a_solved_request(engine: Engine, settings: Settings) -> str:
    """Filed, referred, answered, objected to, answered again, confirmed."""
    with writing(engine) as session:
        key, _ = api_keys.issue(session, name="An app", may=[*Scope], per_minute=60, who="admin")
        request, _ = submissions.file(session, key.id, None, REPORT, settings)
        work.refer(session, request, a_department(session), who="a", note="secret note")
        work.reply(session, request, who="a", reply="secret reply")
        closing.answer(session, request.id, solved=False, note="secret objection")
        work.reply(session, request, who="b", reply="secret reply")
        closing.answer(session, request.id, solved=True)
        return request.tracking


def test_each_request_step_is_posted_once_without_words(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    settings = hooked(ready, provider.url)
    number = a_solved_request(engine, settings)
    for _ in range(2):
        jobs.tell_of_requests(engine, settings)
        sender.run(engine, settings)
    posted = [post for post in provider.requests if post.path == "/requests/s3cr3t"]
    told = [json.loads(post.body) for post in sorted(posted, key=lambda post: int(post.name.split("-")[-1]))]
    assert [event["type"] for event in told] == [
        *("request.filed", "request.referred", "request.answered", "request.reopened"),
        *("request.answered", "request.closed"),
    ]
    for post, event in zip(posted, told, strict=True):
        Webhook(SECRET).verify(post.body, post.headers)  # raises if it is not ours
        data = event["data"]
        assert (data["number"], data["state"], data["category"]) == (number, "closed", "lighting")
        assert (data["objections"], data["unanswered"]) == (1, False)
        assert data["solve_by"] and data["made_at"] and event["timestamp"]
    said = "".join(post.body for post in posted)
    assert not any(word in said for word in ("secret", "چراغ", "کوی", "9130137137", "32.6", "\\u"))
    steps = [message for message in messages(engine) if message.kind is OutboxKind.REQUEST_STEP]
    assert {message.state for message in steps} == {Delivery.SENT}
    assert {sent_messages.mask_recipient(message) for message in steps} == {"127.0.0.1"}


def test_nothing_is_queued_without_a_webhook_address(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    a_solved_request(engine, ready)
    jobs.tell_of_requests(engine, ready)
    assert messages(engine) == []


def test_unreachable_webhook_is_retried_without_a_provider(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    settings = hooked(ready, provider.url).model_copy(update={"sms_provider": ""})
    a_solved_request(engine, settings)
    provider.plan.extend([503] * 6)
    jobs.tell_of_requests(engine, settings)
    sender.run(engine, settings)
    assert {(message.state, message.attempts) for message in messages(engine)} == {(Delivery.PENDING, 1)}


@in_both
def test_several_schedulers_post_each_recent_step_once(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    settings = hooked(ready, provider.url)
    a_solved_request(engine, settings)
    with writing(engine) as session:
        old = session.query(RequestEntry).order_by(RequestEntry.id).first()
        assert old is not None
        at = now(session) - timedelta(days=1, minutes=1)
        free_to_edit(session, "request_history")
        session.execute(update(RequestEntry).where(RequestEntry.id == old.id).values(at=at))
        assert session.get_one(Category, 2).code == "lighting"

    def look(_which: int) -> None:
        with writing(engine) as session:
            webhooks.queue_due(session, settings)

    at_once(4, look)
    assert len(messages(engine)) == 5
    with writing(engine) as session:
        request = lifecycle.get_by_tracking(session, json.loads(messages(engine)[0].body)["data"]["number"])
        entries = lifecycle.list_steps(session, request)
    assert [message.key for message in messages(engine)] == [
        f"request-step-{entry.id}" for entry in entries[1:]
    ]
