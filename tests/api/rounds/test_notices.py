"""The notices of all rounds over the API: where each one stands, its texts, the last post to the webhook."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Delivery, OutboxMessage, Round
from db.states import Phase
from hotline.rounds import notices, phases, planning
from settings import Settings
from tests.api.answers import V1
from tests.factories import a_round

HOOK = {"notice_webhook": "https://news.example/hook", "notice_webhook_secret": "whsec_" + "c2VjcmV0" * 6}


def listed(office: TestClient, engine: Engine) -> dict[int, dict[str, Any]]:
    """The notices of this month, by their rounds."""
    with reading(engine) as session:
        since = now(session) - timedelta(days=30)
    answer = office.get(f"{V1}/notices", params={"from": since.isoformat()})
    assert answer.status_code == 200, answer.text
    return {one["round"]["id"]: one for one in answer.json()}


def test_notice_of_each_round_shows_its_state(office: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        made: dict[str, Round] = {
            "planned": a_round(session, Phase.PLANNED),
            "never": a_round(session, Phase.PLANNED),
            "announced": a_round(session, Phase.OPEN),
            "changed": a_round(session, Phase.OPEN),
            "cancelled": a_round(session, Phase.OPEN),
        }
        planning.change(session, made["changed"], who="x", reason="جلسه", short_notice=True, minutes=7)
        for name in ("never", "cancelled"):
            planning.cancel(session, made[name], who="x", reason="بیماری")
        phases.get_operators_line(session)  # has none
    found = listed(office, engine)
    assert {found[round_.id]["state"]: found[round_.id]["round"]["id"] for round_ in made.values()} == {
        name: round_.id for name, round_ in made.items()
    }
    assert len(found) == len(made)
    assert all(one["round"]["notice"] == one["state"] for one in found.values())
    assert list(found) == sorted(found, key=lambda id_: (found[id_]["round"]["starts_at"], id_))
    changed = found[made["changed"].id]
    assert changed["updated_at"] > changed["round"]["announce_at"]
    assert changed["texts"] == office.get(f"{V1}/rounds/{made['changed'].id}/notice").json()["texts"]

    # Cancelled before it came out: when that time has come it still has not.
    with writing(engine) as session:
        never = session.get_one(Round, made["never"].id)
        assert never.cancelled_at
        never.announce_at = now(session)
        never.cancelled_at = never.announce_at - timedelta(minutes=1)
    assert listed(office, engine)[never.id]["state"] == "never"


def test_last_post_of_each_notice_is_shown(office: TestClient, engine: Engine, settings: Settings) -> None:
    hooked = settings.model_copy(update=HOOK)
    with writing(engine) as session:
        first, second = a_round(session, Phase.OPEN), a_round(session, Phase.OPEN)
        notices.queue_due(session, hooked)
        for message in session.scalars(select(OutboxMessage)):
            message.state, message.sent_at = Delivery.SENT, now(session)
        planning.change(session, second, who="x", reason="جلسه", short_notice=True, minutes=7)
        session.flush()
        notices.queue_due(session, hooked)
        last = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
        assert last
        last.state, last.error = Delivery.FAILED, "HTTP 500"
    found = listed(office, engine)
    assert found[first.id]["post"]["state"] == "sent" and found[first.id]["post"]["sent_at"]
    post = {"message_id": last.id, "state": "failed", "sent_at": None, "error": "HTTP 500"}
    assert found[second.id]["post"] == post
    assert office.post(f"{V1}/outbox/{last.id}/retry").status_code == 202
    assert listed(office, engine)[second.id]["post"] == {**post, "state": "pending", "error": ""}
