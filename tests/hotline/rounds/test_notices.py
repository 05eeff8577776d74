"""Notices: whether a day ahead, and what is posted to the webhook."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook, WebhookVerificationError

from db.engine import now, writing
from db.models import Delivery, OutboxKind, OutboxMessage, Round
from db.states import Phase
from hotline.rounds import notices, phases, planning
from scheduler.jobs import JOBS
from settings import Settings
from tests.factories import HOUR, a_round, an_official, at_once
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

HERE = "https://137.example"
HOOK = "https://news.example/hook?token=1"
SECRET = "whsec_" + "c2VjcmV0" * 6


def hooked(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"notice_webhook": HOOK, "notice_webhook_secret": SECRET, "public_url": HERE}
    )


def messages(session: Session) -> list[OutboxMessage]:
    return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def test_public_rounds_to_come_are_posted_once(session: Session, settings: Settings) -> None:
    made = {phase: a_round(session, phase) for phase in Phase}
    phases.get_operators_line(session)
    told = {made[p].id for p in Phase if p not in (Phase.PLANNED, Phase.OVER)}
    assert notices.queue_due(session, hooked(settings)) == len(told)
    assert notices.queue_due(session, hooked(settings)) == 0
    queued = messages(session)
    assert {m.round_id for m in queued} == told
    assert {(m.kind, m.to, m.state) for m in queued} == {(OutboxKind.NOTICE, HOOK, Delivery.PENDING)}
    what = {m.key for m in queued}
    assert f"notice-{made[Phase.OPEN].id}-announced-0" in what
    assert f"notice-{made[Phase.CANCELLED].id}-cancelled-0" in what


def test_notices_are_a_job_of_the_scheduler(engine: Engine, session: Session, settings: Settings) -> None:
    a_round(session, Phase.OPEN)
    session.commit()
    (job,) = [job for job in JOBS if job.name == "notices"]
    job.run(engine, hooked(settings))
    assert len(messages(session)) == 1


def test_nothing_is_queued_without_a_webhook(session: Session, settings: Settings) -> None:
    a_round(session, Phase.OPEN)
    assert notices.queue_due(session, settings) == 0
    assert messages(session) == []


def test_each_change_of_a_round_is_posted_with_its_facts(session: Session, settings: Settings) -> None:
    round_ = a_round(session, Phase.ANNOUNCED)
    session.commit()
    notices.queue_due(session, hooked(settings))
    session.commit()
    for minutes in (7, 8):
        planning.change(session, round_, who="x", reason="جلسه", short_notice=True, minutes=minutes)
        session.commit()
        notices.queue_due(session, hooked(settings))
        session.commit()
    planning.cancel(session, round_, who="x", reason="بیماری")
    notices.queue_due(session, hooked(settings))
    told = [json.loads(m.body) for m in messages(session)]
    kinds = ["round.announced", "round.changed", "round.changed", "round.cancelled"]
    assert [t["type"] for t in told] == kinds
    assert [t["data"]["version"] for t in told] == [0, 1, 2, 2]
    assert [t["data"]["minutes"] for t in told] == [6, 7, 8, 8]
    data = told[-1]["data"]
    assert data["reason"] == "بیماری"
    assert data["official"]["en"] == "Mayor"
    assert datetime.fromisoformat(data["starts_at"]) == round_.starts_at
    assert data["texts"]["fa"]["title"] == notices.format_text(round_, "fa", HERE).title
    assert data["urls"]["en"] == f"{HERE}/public/rounds/{round_.id}?lang=en"
    assert messages(session)[0].expires_at == round_.ends_at


def test_round_cancelled_before_its_notice_is_not_posted(session: Session, settings: Settings) -> None:
    round_ = a_round(session, Phase.PLANNED)
    planning.cancel(session, round_, who="x", reason="اشتباه")
    round_.announce_at = now(session)  # as if that time had come since
    round_.cancelled_at = round_.announce_at - HOUR
    session.flush()
    assert notices.queue_due(session, hooked(settings)) == 0
    assert round_ not in notices.list_published(session)


@in_both
def test_concurrent_schedulers_queue_each_notice_once(
    engine: Engine, session: Session, settings: Settings
) -> None:
    for _ in range(5):
        a_round(session, Phase.OPEN)
    session.commit()

    def queue(_which: int) -> int:
        with writing(engine) as own:
            return notices.queue_due(own, hooked(settings))

    assert sum(at_once(4, queue)) == 5
    assert len(messages(session)) == 5


def test_notice_of_another_scheduler_does_not_stop_the_rest(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_round(session, Phase.OPEN), a_round(session, Phase.OPEN)
    notices.queue_due(session, hooked(settings))
    session.delete(messages(session)[1])
    session.flush()
    monkeypatch.setattr(
        notices, "set", lambda _rows: {""}, raising=False
    )  # what it read before the other wrote
    assert notices.queue_due(session, hooked(settings)) == 1
    assert [m.round_id for m in messages(session)] == [first.id, second.id]


def planned_ahead(session: Session, ahead: timedelta, announce_in: timedelta | None = None) -> Round:
    at = now(session)
    return planning.make(
        session,
        official=an_official(session),
        announce_at=None if announce_in is None else at + announce_in,
        registration_from=at + 8 * HOUR,
        registration_until=at + ahead,
        starts_at=at + ahead,
        ends_at=at + ahead + HOUR,
        short_notice=True,
    )


def test_only_a_whole_day_is_a_day_ahead(session: Session) -> None:
    assert notices.find_lead_time(session, planned_ahead(session, 25 * HOUR)).day_ahead
    assert not notices.find_lead_time(session, planned_ahead(session, 23 * HOUR)).day_ahead
    assert not notices.find_lead_time(session, planned_ahead(session, 30 * HOUR, 7 * HOUR)).day_ahead


def test_start_moved_on_short_notice_is_not_a_day_ahead(
    session: Session,
) -> None:
    round_ = planned_ahead(session, 30 * HOUR)
    planning.change(session, round_, who="x", reason="ظرفیت", short_notice=True, capacity=9)
    assert notices.find_lead_time(session, round_).day_ahead
    start = round_.starts_at - 10 * HOUR
    planning.change(session, round_, who="x", reason="زودتر", short_notice=True, starts_at=start)
    state = notices.find_lead_time(session, round_)
    assert not state.day_ahead
    assert state.public_at == round_.start_set_at == round_.changed_at
    assert round_.changes == 2


def test_delivered_webhook_shows_its_time(session: Session, settings: Settings) -> None:
    round_ = planned_ahead(session, 25 * HOUR)
    session.commit()
    notices.queue_due(session, hooked(settings))
    assert notices.find_lead_time(session, round_).webhook_at is None
    notice = messages(session)[0]
    notice.sent_at, notice.state = round_.announce_at + HOUR, Delivery.SENT
    session.flush()
    state = notices.find_lead_time(session, round_)
    assert (state.public_at, state.webhook_at) == (round_.announce_at, notice.sent_at)


def test_signed_notice_verifies_only_unchanged() -> None:
    body = json.dumps({"type": "round.announced", "data": "دور"}, ensure_ascii=False)
    headers = notices.sign_headers("notice-1-announced-0", body, SECRET, datetime.now(UTC))
    assert Webhook(SECRET).verify(body.encode(), headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("دور", "دور گفت‌وگویی"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers | {"webhook-id": "notice-2-announced-0"})
    old = notices.sign_headers("notice-1-announced-0", body, SECRET, datetime.now(UTC) - HOUR)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, old)


def test_many_past_rounds_hide_none_to_come(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_MOST", 4)
    past = [a_round(session, Phase.OVER) for _ in range(5)]
    for days, round_ in enumerate(past):
        for name in ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at"):
            setattr(round_, name, getattr(round_, name) - timedelta(days=days))
    coming = [a_round(session, Phase.OPEN) for _ in range(2)]
    session.flush()
    assert notices.list_published(session) == [past[1], past[0], *coming]
    assert {round_.id for round_ in coming} <= {round_.id for round_ in notices.list_published(session)}
