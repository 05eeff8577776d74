"""The dialer and heads-up calls: once, when it may, and never beside a callback."""

from datetime import timedelta

import pytest

from db.engine import now, reading, writing
from db.models import Confirmation, OutboundCall, PlacedCall, Registration, Round
from db.states import HeadsUpAnswer, RegistrationState
from hotline.clock import CITY
from hotline.line import confirmation_calls
from hotline.outbound import heads_up, queue
from hotline.rounds import phases, planning
from hotline.trunk import circuit_breaker
from settings import QuietHours, Settings
from tests import factories as make
from tests.dialer.office import Office, check_five_at_a_time
from tests.kit.fake_manager import FakeManager

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the rest: hotline/outbound/test_heads_up


def nears(office: Office, count: int = 1, number: str = "") -> list[int]:
    """Make registrations that have come near, behind others who are about to be called back."""
    head = office._settings.call_ahead_most
    with writing(office.engine) as session:
        round_ = make.a_round(session)
        own = {"number": number} if number else {}
        make.some_registrations(session, round_, head, registered_at=now(session) - 2 * make.HOUR)
        ids = [r.id for r in make.some_registrations(session, round_, count, **own)]
        heads_up.tell(session, 100, call_beyond=head)
    return ids


def kept(office: Office, id_: int) -> OutboundCall:
    with reading(office.engine) as session:
        return make.heads_up_call(session, id_)


def ended(office: Office, id_: int) -> bool:
    return kept(office, id_).ended_at is not None


def test_a_call_that_is_not_answered_is_not_tried_again(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))
    assert not ended(office, id_)

    manager.refuses(kept(office, id_).token or "", 480)
    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert len(manager.named("Originate")) == 1
    with reading(office.engine) as session:
        assert session.query(PlacedCall).one().ended_at, "its line is free"
        assert session.get_one(Registration, id_).state is RegistrationState.WAITING


def test_heads_up_call_refused_by_asterisk_is_retried(office: Office, manager: FakeManager):
    manager.refused = {"Originate": "Permission denied"}
    (id_,) = nears(office)

    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1, "not in a tight loop"
    put_off = kept(office, id_)
    assert (put_off.token, put_off.placed_at, put_off.ended_at) == (None, None, None)
    with reading(office.engine) as session:
        refused = session.query(PlacedCall).one()
        assert refused.ended_at and refused.ours, "its line is free, and no cap counts it"
        assert put_off.due_at > refused.ended_at + 30 * make.SECOND

    manager.refused = {}
    with writing(office.engine) as session:  # later
        make.heads_up_call(session, id_).due_at = now(session)
    office.until(lambda: len(manager.named("Originate")) > 1)
    office.until_at_rest()

    first, second = manager.named("Originate")
    assert first["ChannelId"] != second["ChannelId"]
    assert first["Channel"] == second["Channel"]
    with reading(office.engine) as session:
        assert list(queue.list_in_progress(session)) == [second["ChannelId"]], "never two at once"


@pytest.mark.parametrize("how", ["cancelled", "ended"])
def test_ended_round_ends_heads_up_calls_kindly(office: Office, manager: FakeManager, how: str):
    listens, rings = nears(office, 2)
    office.until(lambda: len(manager.named("Originate")) == 2)
    listening, ringing = kept(office, listens).token or "", kept(office, rings).token or ""
    manager.channels[listening] |= {"ChannelStateDesc": "Up", "Application": "AGI", "Context": "outbound"}
    manager.ringing(ringing)

    with writing(office.engine) as session:
        round_ = session.get_one(Round, kept(office, listens).round_id)
        if how == "cancelled":
            planning.cancel(session, round_, who="u", reason="بیماری")
        else:
            phases.end_round(session, round_)
    office.until(lambda: manager.named("Redirect") and manager.named("Hangup"))
    manager.channels[listening] |= {"Context": "let-go", "Application": "Playback"}
    office.until_at_rest()
    manager.hangs_up(ringing)
    office.restart()
    office.until_at_rest()

    (goodbye,), (hangup,) = manager.named("Redirect"), manager.named("Hangup")
    assert (goodbye["Channel"], goodbye["Context"]) == (listening, "let-go"), "the word is heard to its end"
    assert hangup["Channel"] == ringing
    manager.hangs_up(listening)
    office.until(lambda: ended(office, listens) and ended(office, rings))
    with reading(office.engine) as session:
        place = session.get_one(Registration, listens)
        assert (place.state, place.attempts) == (RegistrationState.WAITING, 0)


def test_call_ending_with_its_round_is_harmless(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))
    manager.refused = {"Hangup": "No such channel"}

    with writing(office.engine) as session:
        phases.end_round(session, session.get_one(Round, kept(office, id_).round_id))
    office.until(lambda: manager.named("Hangup"))
    manager.hangs_up(kept(office, id_).token or "")
    office.until(lambda: ended(office, id_))

    assert len(manager.named("Hangup")) == 1


def scripts_have_failed(office: Office, *, often: int = 1) -> None:
    """No script spoke in the calls to so many other numbers."""
    with writing(office.engine) as session:
        for nth in range(often):
            circuit_breaker.record_failure(session, circuit_breaker.SCRIPTS, f"callback-other-{nth}")


def scripts_are_down(office: Office) -> bool:
    with reading(office.engine) as session:
        down = circuit_breaker.find_outage(session)
    return down is not None and down.why == circuit_breaker.SCRIPTS


@pytest.mark.parametrize("said", [None, HeadsUpAnswer.REACHABLE])
def test_answered_call_without_a_script_is_not_repeated(
    office: Office, manager: FakeManager, said: HeadsUpAnswer | None
):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))
    token = manager.named("Originate")[0]["ChannelId"]
    if said:
        with writing(office.engine) as session:
            heads_up.answer(session, token, said)

    scripts_have_failed(office)
    manager.stage(token, "failed")
    office.until(lambda: ended(office, id_))
    assert scripts_are_down(office), "as after a callback: nobody else hears the apology"
    manager.hangs_up(token)
    office.until_at_rest()

    with writing(office.engine) as session:
        heads_up.tell(session, 100, call_beyond=office._settings.call_ahead_most)
        assert make.due_heads_up(session) == []
    assert kept(office, id_).answer == said


def test_script_in_a_heads_up_call_resumes_calls(office: Office, manager: FakeManager):
    nears(office)
    office.until(lambda: manager.named("Originate"))
    token = manager.named("Originate")[0]["ChannelId"]
    scripts_have_failed(office, often=2)
    assert scripts_are_down(office)

    manager.stage(token, "spoke")
    office.until(lambda: not scripts_are_down(office))


def test_failed_script_at_an_owner_counts_and_is_retried(office: Office, manager: FakeManager):
    with writing(office.engine) as session:
        id_ = make.keyed_in(session, make.a_round(session)).id
    office.until(lambda: manager.named("Originate"))
    token = manager.named("Originate")[0]["ChannelId"]

    scripts_have_failed(office)
    manager.stage(token, "failed")
    office.until(lambda: scripts_are_down(office))
    manager.hangs_up(token)
    office.until_at_rest()

    with reading(office.engine) as session:
        asked = session.get_one(Confirmation, id_)
        assert (asked.attempts, asked.decided_at, asked.token) == (0, None, None)
        assert asked.not_before > now(session) + make.MINUTE


@pytest.mark.parametrize("yes", [True, False])
def test_owner_who_answered_is_not_called_again(office: Office, manager: FakeManager, yes: bool):
    with writing(office.engine) as session:
        asked = make.keyed_in(session, make.a_round(session))
        id_, place = asked.id, asked.registration_id
    office.until(lambda: manager.named("Originate"))
    token = manager.named("Originate")[0]["ChannelId"]
    with writing(office.engine) as session:
        confirmation_calls.answer(session, token, yes=yes)

    scripts_have_failed(office)
    manager.stage(token, "failed")
    office.until(lambda: scripts_are_down(office))
    manager.hangs_up(token)
    office.until_at_rest()

    with writing(office.engine) as session:
        kept = session.get_one(Confirmation, id_)
        assert (kept.agreed, kept.token) == (yes, None)
        kept.not_before = now(session)
        session.flush()
        assert confirmation_calls.list_due(session, 5) == []
        state = session.get_one(Registration, place).state
    assert state is (RegistrationState.WAITING if yes else RegistrationState.CANCELLED)


def test_call_of_unknown_placement_is_not_repeated(office: Office, manager: FakeManager):
    manager.unanswered = {"Originate"}
    (id_,) = nears(office)

    office.until(lambda: manager.named("Originate"))
    manager.unanswered = set()
    office.until_at_rest()

    assert [c["ChannelId"] for c in manager.named("Originate")] == [kept(office, id_).token]


def test_a_call_that_ended_unseen_is_over(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    office.until(lambda: manager.named("Originate"))

    manager.channels.pop(kept(office, id_).token or "")
    manager.cut()
    office.until(lambda: ended(office, id_))

    office.until_at_rest()
    assert len(manager.named("Originate")) == 1


def test_citizen_taken_from_the_line_gets_no_heads_up_call(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    with writing(office.engine) as session:
        session.get_one(Registration, id_).state = RegistrationState.CALLING

    office.until_at_rest()

    assert manager.named("Originate") == []
    assert kept(office, id_).token is None


def test_head_of_the_line_gets_no_call_beside_the_callback(office: Office, manager: FakeManager):
    (id_,) = nears(office)
    with writing(office.engine) as session:
        for before in session.query(Registration).where(Registration.id != id_):
            before.state = RegistrationState.CALLING

    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert manager.named("Originate") == []


@pytest.mark.parametrize("number", ["+4930123456", "+982122334455"])
def test_a_number_outside_the_allowed_prefixes_is_never_called(
    office: Office, manager: FakeManager, number: str
):
    (id_,) = nears(office, number=number)

    office.until(lambda: ended(office, id_))
    office.until_at_rest()

    assert manager.named("Originate") == []


def test_heads_up_calls_are_limited_at_a_time(office: Office, manager: FakeManager):
    nears(office, 7)

    check_five_at_a_time(office, manager)


@pytest.fixture
def by_night(office: Office, settings: Settings) -> Office:
    """It is quiet in the city."""
    with reading(office.engine) as session:
        local = now(session).astimezone(CITY)
    begin, end = ((local + timedelta(hours=h)).time() for h in (-1, 1))
    office._settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    office.restart()
    return office


def test_nobody_is_called_in_quiet_hours(by_night: Office, manager: FakeManager):
    (id_,) = nears(by_night)

    by_night.until_at_rest()

    assert manager.named("Originate") == []
    assert kept(by_night, id_).token is None


def test_a_number_that_was_called_too_often_is_left_in_peace(
    office: Office, manager: FakeManager, settings: Settings
):
    (id_,) = nears(office, number="+989131234567")
    with writing(office.engine) as session:
        for n in range(settings.calls_per_number):
            at = now(session)
            session.add(PlacedCall(token=f"before-{n}", number="+989131234567", at=at, ended_at=at))

    office.until(lambda: ended(office, id_))

    assert manager.named("Originate") == []


def test_a_call_beyond_the_caps_waits_and_leaves_the_line_free(
    office: Office, manager: FakeManager, settings: Settings
):
    (id_,) = nears(office)
    office._settings = settings.model_copy(update={"calls_per_hour": 2})
    office.restart()
    with writing(office.engine) as session:
        at = now(session)
        session.add(PlacedCall(token="before", number=make.a_number(), at=at, ended_at=at))

    office.until_at_rest()
    assert manager.named("Originate") == []
    with reading(office.engine) as session:
        assert make.due_heads_up(session) == [id_]
        assert session.get_one(Round, kept(office, id_).round_id).opened_at

    office._settings = settings
    office.restart()
    office.until(lambda: manager.named("Originate"))
