"""A threat is marked once, its recording outlives the others, and supervisors are told."""

from datetime import timedelta

from sqlalchemy.orm import Session

from db.engine import now
from db.models import Recording
from db.states import CallbackState, Outcome, RegistrationState
from hotline import audit
from hotline.callbacks import schedule, threats
from hotline.control import control_room
from hotline.control.alarms import AlarmKind
from hotline.recordings import archive
from tests.factories import HOUR, a_callback, a_desk, a_user
from tests.kit.databases import on_one  # noqa: F401  (fixture)

C = CallbackState


def test_threat_marked_twice_is_recorded_once(
    session: Session,
) -> None:
    callback = a_callback(session, C.TALKING)
    for _ in range(2):
        threats.mark(session, callback, who="desk1")
    (entry,) = audit.search(session, action="threat-marked")
    assert (entry.who, entry.subject) == ("desk1", f"callback {callback.id}")
    (alarm,) = [one for one in control_room.show(session).alarms if one.kind is AlarmKind.THREAT]
    assert (alarm.desk_id, alarm.since) == (callback.desk_id, callback.threat_at)
    assert callback.threat_at is not None
    callback.threat_at -= timedelta(minutes=31)
    session.flush()
    assert AlarmKind.THREAT not in [one.kind for one in control_room.show(session).alarms]


def test_recording_of_a_threat_outlives_the_others(
    session: Session,
) -> None:
    calm, threat = (a_callback(session, C.TALKING) for _ in range(2))
    threats.mark(session, threat, who="desk1")
    for callback in (calm, threat):
        made = {"file": f"{callback.token}.wav", "sha256": "0" * 64, "seconds": 5}
        session.add(Recording(callback_id=callback.id, made_at=now(session) - timedelta(days=40), **made))
    session.flush()
    assert [one.callback_id for one in archive.list_expired(session, 30)] == [calm.id]


def test_own_agreed_calls_are_listed_soonest_first(
    session: Session,
) -> None:
    user, other = (a_user(session, a_desk(session)) for _ in range(2))
    at = now(session)
    promised = {}
    for hours, who in ((5, user), (2, user), (-13, user), (3, other), (4, user)):
        callback = a_callback(session, C.CLOSED, who)
        callback.registration.state = RegistrationState.WAITING
        callback.outcome, callback.again_at = Outcome.CALL_AGAIN, at + hours * HOUR
        promised[hours] = callback
    promised[4].registration.state = RegistrationState.REACHED
    session.flush()
    assert schedule.list_promised(session, user) == [promised[2], promised[5]]
