"""The dialer ends the call of a citizen whom a supervisor has freed from a desk."""

from datetime import timedelta

import pytest

from db.engine import now, writing
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import transitions
from hotline.desks import freeing
from settings import Settings
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import FakeManager

pytestmark = on_sqlite
C, O = CallbackState, Outcome  # noqa: E741


@pytest.mark.parametrize(
    ("state", "ended_by", "outcome"),
    [
        (C.RINGING, "Hangup", O.RETURNED),
        (C.ANSWERED, "held-over", O.CALL_AGAIN),
        (C.WAITING, "held-over", O.CALL_AGAIN),
        (C.TALKING, "held-over", O.CALL_AGAIN),
    ],
)
def test_freed_citizen_is_hung_up_and_due_at_once(
    office: Office,
    manager: FakeManager,
    settings: Settings,
    state: CallbackState,
    ended_by: str,
    outcome: Outcome,
) -> None:
    token = office.call(state)
    with writing(office.engine) as session:
        callback = transitions.find_by_token(session, token)
        assert callback is not None
        freeing.free(session, callback, settings, who="the-supervisor", reason="میز برنمی‌گردد")

    def asked() -> list[str]:
        moved = [a["Context"] for a in manager.named("Redirect") if a["Channel"] == token]
        return moved + [a["Action"] for a in manager.named("Hangup") if a["Channel"] == token]

    office.until(lambda: ended_by in asked())
    assert asked()[-1] == ended_by, "once, and nothing else"
    manager.hangs_up(token)
    office.until(lambda: office.state(token) is C.CLOSED)
    closed = office.callback(token)
    place = closed.registration
    assert (closed.outcome, place.state, place.attempts) == (outcome, RegistrationState.WAITING, 0)
    with writing(office.engine) as session:
        assert place.not_before is None or place.not_before <= now(session)


def test_citizen_waiting_too_long_for_a_desk_is_first_again(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    token = office.call(C.WAITING)
    manager.hangs_up("desk.1")
    office.until(lambda: not office.phone_connected())
    office.until_at_rest()
    assert office.callback(token).hangup_asked_at is None, "it may come back"
    with writing(office.engine) as session:
        long_ago = now(session) - timedelta(seconds=settings.hold_seconds)
    office.change(token, confirmed_at=long_ago)

    office.until(lambda: "held-over" in [asked["Context"] for asked in manager.named("Redirect")])
    manager.hangs_up(token)
    office.until(lambda: office.state(token) is C.CLOSED)
    closed = office.callback(token)
    assert (closed.outcome, closed.registration.attempts) == (O.CALL_AGAIN, 0)
    with writing(office.engine) as session:
        assert closed.registration.not_before and closed.registration.not_before <= now(session)
