"""A call of each kind in the queue of outgoing calls: every kind has the same story, on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, CodeWay, OutboundCall, OutboundKind, PlacedCall
from dialer.outbound_calls import ELIGIBLE
from dialplan.variables import CALLERS_ADMITTED
from hotline.citizens import account_contents, codes, erasure
from hotline.clock import CITY
from hotline.line import blocked
from hotline.outbound import heads_up, overflow, queue
from hotline.outbound.kinds import KINDS
from hotline.requests import work
from settings import QuietHours, Settings
from tests import factories as make
from tests.dialer.office import LONG_AGO, Office
from tests.kit.databases import on_both
from tests.kit.fake_manager import FakeManager

__all__ = ["on_both"]

NUMBER = "+983132221234"


def _come_near(session: Session, settings: Settings) -> None:
    """Register NUMBER behind the citizens who are about to be called back."""
    round_ = make.a_round(session)
    earlier = now(session) - 2 * make.HOUR
    make.some_registrations(session, round_, settings.call_ahead_most, registered_at=earlier)
    heads_up.ask(session, make.a_registration(session, round_, number=NUMBER), now(session))


ASK: dict[OutboundKind, Callable[[Session, Settings], object]] = {
    OutboundKind.SIGN_IN_CODE: lambda session, settings: codes.ask(
        session, NUMBER, CodeWay.CALL, "fa", settings, browser=make.BROWSER
    ),
    OutboundKind.OVERFLOW: lambda session, settings: overflow.keep(session, NUMBER, settings),
    OutboundKind.HEADS_UP: _come_near,
    OutboundKind.SOLVED: lambda session, _: work.reply(
        session, make.a_request(session, number=NUMBER), who="u", reply="ترمیم شد"
    ),
}
"""The cause of a call of each kind."""


@pytest.fixture(params=OutboundKind)
def kind(
    request: pytest.FixtureRequest, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> OutboundKind:
    """A call of this kind to NUMBER is due."""
    of: OutboundKind = request.param
    file = settings.state_dir / CALLERS_ADMITTED
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{settings.callers_at_once}")
    monkeypatch.setattr("dialer.caller_lines.ADMITTED_S", 3600)
    with writing(engine) as session:
        ASK[of](session, settings)
    with writing(engine) as session:
        session.execute(update(OutboundCall).values(due_at=now(session)))
    return of


def call(engine: Engine) -> OutboundCall:
    with reading(engine) as session:
        return session.scalars(select(OutboundCall)).one()


def due(engine: Engine, kind: OutboundKind) -> list[int]:
    with reading(engine) as session:
        return list(queue.list_due(session, _eligible(kind), 10))


def claim(engine: Engine, kind: OutboundKind) -> str | None:
    """Claim the call; the token, or None if somebody else has claimed it."""
    with writing(engine) as session:
        claimed = queue.claim(session, _eligible(kind), call(engine).id)
        return claimed.token if claimed else None


def finish(engine: Engine, token: str, *, ours: bool = False) -> None:
    with writing(engine) as session:
        queue.finish(session, token, ours=ours)


def wait(engine: Engine) -> None:
    """The moment comes from which the call is due again."""
    with writing(engine) as session:
        session.execute(update(OutboundCall).values(due_at=now(session)))


def _eligible(kind: OutboundKind) -> queue.Eligibility:
    return next(calls for calls in ELIGIBLE if calls.kind is kind)


def test_every_kind_is_placed_and_has_a_story() -> None:
    assert [calls.kind for calls in ELIGIBLE] == list(KINDS) == list(OutboundKind) == list(ASK)
    assert len({policy.prefix for policy in KINDS.values()}) == len(KINDS)


def test_due_call_is_placed_once(kind: OutboundKind, office: Office, manager: FakeManager) -> None:
    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.cut()
    manager.wait_for("Login", 2)
    office.restart()
    office.until_at_rest()
    (placed,) = manager.named("Originate")
    token = call(office.engine).token
    assert token and token.startswith(f"{KINDS[kind].prefix}-")
    assert placed["Channel"] == f"Local/{NUMBER}@dial/n"
    assert (placed["ChannelId"], placed["Context"], placed["Exten"]) == (token, "outbound", kind.value)


def test_call_that_two_dialers_claim_is_claimed_once(kind: OutboundKind, engine: Engine) -> None:
    tokens = make.at_once(2, lambda _: claim(engine, kind))
    assert sorted(tokens, key=bool) == [None, call(engine).token]
    with reading(engine) as session:
        assert list(queue.list_in_progress(session)) == [call(engine).token]


def test_busy_number_is_not_called(kind: OutboundKind, engine: Engine) -> None:
    with writing(engine) as session:
        session.add(PlacedCall(token="callback-1", number=NUMBER, at=now(session)))
    assert due(engine, kind) == [] and claim(engine, kind) is None
    with writing(engine) as session:
        session.execute(update(PlacedCall).values(ended_at=now(session)))
    assert due(engine, kind) == [call(engine).id]


def test_blocked_number_is_not_called(kind: OutboundKind, engine: Engine) -> None:
    with writing(engine) as session:
        blocked.block(session, NUMBER, BlockReason.OWNER)
    assert due(engine, kind) == [] and claim(engine, kind) is None


def test_nobody_is_woken_at_night(
    kind: OutboundKind, office: Office, manager: FakeManager, settings: Settings
) -> None:
    with reading(office.engine) as session:
        local = now(session).astimezone(CITY)
    begin, end = ((local + timedelta(hours=hours)).time() for hours in (-1, 1))
    office._settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    office.restart()
    office.until_at_rest()
    assert bool(manager.named("Originate")) is KINDS[kind].at_night


def test_used_up_share_of_all_calls_costs_no_attempt(
    kind: OutboundKind, office: Office, manager: FakeManager, settings: Settings
) -> None:
    with writing(office.engine) as session:
        at = now(session) - LONG_AGO
        for which in range(int(settings.calls_per_hour * KINDS[kind].share)):
            session.add(PlacedCall(token=f"callback-{which}", number=make.a_number(), at=at, ended_at=at))
    office.until_at_rest()
    assert manager.named("Originate") == []
    assert (call(office.engine).attempts, call(office.engine).ended_at) == (0, None)


def test_number_called_too_often_is_left_in_peace(
    kind: OutboundKind, office: Office, manager: FakeManager, settings: Settings
) -> None:
    with writing(office.engine) as session:
        at = now(session) - LONG_AGO
        for which in range(settings.calls_per_number):
            session.add(PlacedCall(token=f"callback-{which}", number=NUMBER, at=at, ended_at=at))
    before = call(office.engine).due_at
    office.until(lambda: call(office.engine).due_at > before or call(office.engine).ended_at)
    office.until_at_rest()
    assert manager.named("Originate") == []
    if KINDS[kind].after_cap:
        assert (call(office.engine).attempts, call(office.engine).ended_at) == (0, None)
    else:
        assert call(office.engine).answer == queue.DROPPED


def test_fault_of_ours_costs_no_attempt(kind: OutboundKind, office: Office, manager: FakeManager) -> None:
    manager.refused = {"Originate": "Permission denied"}
    office.until(lambda: manager.named("Originate"))
    office.until(lambda: call(office.engine).token is None)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1
    if KINDS[kind].after_fault:
        assert (call(office.engine).attempts, call(office.engine).ended_at) == (0, None)
    else:
        assert call(office.engine).ended_at


def test_unanswered_call_is_retried_as_often_as_its_kind(kind: OutboundKind, engine: Engine) -> None:
    for attempt in range(KINDS[kind].attempts):
        wait(engine)
        token = claim(engine, kind)
        assert token and call(engine).attempts == attempt + 1
        finish(engine, token)
        with reading(engine) as session:
            is_last = attempt + 1 == KINDS[kind].attempts
            assert is_last or call(engine).due_at > now(session) + KINDS[kind].retry - timedelta(minutes=1)
        assert due(engine, kind) == []
    wait(engine)
    assert call(engine).ended_at and due(engine, kind) == []


def test_call_that_asterisk_lost_is_finished(
    kind: OutboundKind, office: Office, manager: FakeManager
) -> None:
    office.until(lambda: manager.named("Originate"))
    office.until_at_rest()
    manager.channels.pop(call(office.engine).token or "")
    manager.cut()
    office.until(lambda: call(office.engine).token is None)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 1
    with reading(office.engine) as session:
        assert session.scalars(select(PlacedCall.ended_at)).one()


def test_call_of_a_dead_node_costs_no_attempt(kind: OutboundKind, engine: Engine) -> None:
    token = claim(engine, kind)
    with writing(engine) as session:
        session.add(PlacedCall(token=token, number=NUMBER, at=now(session), node="one"))
        session.flush()
        queue.retry_cut(session, select(PlacedCall.token).where(PlacedCall.node == "one"))
    if KINDS[kind].after_fault:
        assert (call(engine).token, call(engine).attempts, call(engine).ended_at) == (None, 0, None)
    else:
        assert call(engine).token == token, "the dialer that takes over finishes it"


def test_number_that_may_not_be_called_never_rings(
    kind: OutboundKind, office: Office, manager: FakeManager, settings: Settings
) -> None:
    office._settings = settings.model_copy(update={"allowed_prefixes": ("+989",)})
    office.restart()
    office.until(lambda: call(office.engine).ended_at)
    office.until_at_rest()
    assert manager.named("Originate") == []


@pytest.mark.parametrize("ours", [False, True])
def test_answered_call_is_not_repeated(kind: OutboundKind, engine: Engine, ours: bool) -> None:
    token = claim(engine, kind)
    assert token
    with writing(engine) as session:
        queue.answer(session, token)
    finish(engine, token, ours=ours)
    wait(engine)
    assert due(engine, kind) == [] and call(engine).ended_at
    assert call(engine).token is None


@pytest.mark.parametrize("answer", [None, queue.REFUSED])
def test_deleted_citizen_is_not_called(kind: OutboundKind, engine: Engine, answer: str | None) -> None:
    if answer:
        token = claim(engine, kind)
        assert token
        with writing(engine) as session:
            queue.answer(session, token, answer)
        finish(engine, token)
    with writing(engine) as session:
        erasure.delete_citizen(session, NUMBER, who="u", give_up=True)
    with writing(engine) as session:
        kept = session.scalars(select(OutboundCall.answer).where(OutboundCall.number == NUMBER)).all()
        assert kept == ([answer] if answer else []), "a «no» protects the person"
        erasure.delete_former_owner(session, NUMBER, who="u", reason="x", give_up=True)
        assert not session.scalars(select(OutboundCall.id).where(OutboundCall.number == NUMBER)).all()


def test_export_names_the_call(kind: OutboundKind, engine: Engine) -> None:
    with writing(engine) as session:
        (told,) = account_contents.export(session, NUMBER, who="u")["calls_by_the_system"]
    assert (told["kind"], told["answer"]) == (kind.value, None) and told["asked_at"]
