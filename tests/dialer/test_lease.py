"""A node's dialer under its lease: who cannot renew it ends its calls, and begins none."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, text, update

from db.engine import now, reading, writing
from db.models import Callback, Node, Official, OfficialKind
from db.states import CallbackState as C
from db.states import Outcome
from dialer import lease as module
from dialer.lease import NodeLease, fenced
from hotline import calls_until
from hotline.callbacks import conversations
from hotline.nodes import leases
from settings import Settings
from settings.addresses import Address
from tests import factories as make
from tests.kit.process import until

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one machine, and no lease to lose."""


class Clock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Asterisk:
    """Counts how often it is told to end all calls."""

    def __init__(self) -> None:
        self.told, self.hears = 0, True

    def hang_up(self) -> bool:
        self.told += 1
        return self.hears


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "clock", clock)
    return clock


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def lease(settings: Settings, engine: Engine, clock: Clock, asterisk: Asterisk) -> Iterator[NodeLease]:
    lease = NodeLease(settings.model_copy(update={"node": "one"}), asterisk.hang_up)
    yield lease
    lease.close()


def another(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        leases.take(session, settings.model_copy(update={"node": "two"}))


@pytest.fixture
def one_of_two(lease: NodeLease, engine: Engine, settings: Settings) -> NodeLease:
    """The lease of a node that works, and knows of another."""
    another(engine, settings)
    turn(lease)
    return lease


def turn(lease: NodeLease) -> None:
    """A turn of each of its threads, in which a second has gone by."""
    lease.fence()
    lease._next_look = 0.0
    lease.turn()


def silent(lease: NodeLease, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database answers this dialer no more."""

    def no_answer(*_: object) -> bool:
        raise OSError

    monkeypatch.setattr(lease, "_take", no_answer)
    monkeypatch.setattr(lease, "_holds", no_answer)


def test_given_two_dialers_of_one_node_when_both_ask_then_one_has_it_and_the_other_after_it(
    lease: NodeLease, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    other = NodeLease(settings.model_copy(update={"node": "one"}), lambda: True)
    with caplog.at_level("INFO", "dialer"):
        turn(lease)
    assert "this dialer acts for its node now" in caplog.text, "to lead all nodes is another thing"
    turn(other)
    assert (lease.leads(), other.leads()) == (True, False)
    epoch = lease.epoch
    lease.close()

    def has_it() -> bool:
        turn(other)
        return other.leads()

    until(has_it, "the server has ended the first one's session")
    assert other.epoch == epoch + 1
    other.close()


def test_given_the_only_node_when_the_database_is_away_then_nothing_is_ended(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(lease)
    silent(lease, monkeypatch)
    clock.at += 60
    turn(lease)
    assert not lease.leads() and asterisk.told == 0


def test_given_one_node_of_two_when_it_cannot_renew_then_its_calls_are_ended_before_the_lease_is(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    epoch = lease.epoch
    assert lease.leads() and lease.lasts(epoch)
    with reading(engine) as session:
        until_ = session.get_one(Node, "one").lease_until
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S - 1
        turn(lease)
        assert not lease.leads() and asterisk.told == 0
        clock.at += 1
        turn(lease)
        assert asterisk.told == 1
        turn(lease)
        assert asterisk.told == 1, "it has heard it"
    asterisk.hears = False
    turn(lease)
    assert not lease.leads(), "not before its Asterisk was told"
    with reading(engine) as session:
        assert session.get_one(Node, "one").lease_until == until_, "and others may see to its work"
    asterisk.hears = True
    turn(lease)
    assert lease.leads() and lease.epoch > epoch and not lease.lasts(epoch)


def test_given_a_dialer_that_was_stopped_when_it_wakes_then_it_does_nothing_before_it_has_ended_its_calls(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
) -> None:
    lease = one_of_two
    epoch = lease.epoch
    clock.at += module._FENCE_S
    assert not lease.leads() and not lease.lasts(epoch), "whichever of its threads wakes first"
    turn(lease)
    assert asterisk.told >= 1 and not lease.lasts(epoch)


def test_given_a_conversation_that_the_fence_has_cut_when_the_node_is_there_again_then_it_is_due_at_once(
    one_of_two: NodeLease, clock: Clock, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = one_of_two
    with writing(engine) as session:
        cut, theirs = make.a_callback(session, C.TALKING), make.a_callback(session, C.TALKING)
        cut.node, theirs.node = "one", "two"
        cut.talking_at = now(session) - 2 * conversations.MET
        cut_id, their_id = cut.id, theirs.id
    with monkeypatch.context() as away:
        silent(lease, away)
        clock.at += module._FENCE_S
        turn(lease)
    turn(lease)
    assert lease.leads()
    with reading(engine) as session:
        cut = session.get_one(Callback, cut_id)
        assert (cut.state, cut.outcome) == (C.CLOSED, Outcome.CALL_AGAIN), "never that it was had"
        assert cut.again_at == cut.ended_at
        assert session.get_one(Callback, their_id).state is C.TALKING


def test_given_an_answer_that_comes_after_the_fence_when_it_says_that_the_lease_lasts_then_that_is_too_late(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = one_of_two
    renew = leases.renew

    def slow(*of: Any, **how: Any) -> Any:
        clock.at += module._FENCE_S
        lease.fence()  # by its other thread
        assert asterisk.told == 1, "it waits for no database"
        return renew(*of, **how)

    with monkeypatch.context() as away:
        away.setattr(leases, "renew", slow)
        turn(lease)
        assert not lease.leads()
    turn(lease)
    assert lease.leads() and asterisk.told == 2


def test_given_a_node_that_was_not_alone_when_its_dialer_starts_without_a_database_then_it_ends_its_calls(
    lease: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn(lease)
    assert NodeLease(lease._settings, asterisk.hang_up)._fence_at == float("inf"), "the only node"
    another(engine, settings)
    turn(lease)
    lease.close()
    next_ = NodeLease(lease._settings, asterisk.hang_up)
    silent(next_, monkeypatch)
    turn(next_)
    assert asterisk.told == 0
    clock.at += module._START_S
    asterisk.hears = False
    turn(next_)
    asterisk.hears = True
    turn(next_)
    turn(next_)
    assert asterisk.told == 2 and not next_.leads(), "until it has heard it"
    next_.close()


def test_given_a_node_when_another_comes_and_is_removed_then_it_says_that_it_fences_only_while_it_does(
    lease: NodeLease, clock: Clock, settings: Settings, engine: Engine
) -> None:
    def said() -> tuple[bool, bool]:
        turn(lease)
        with reading(engine) as session:
            return session.get_one(Node, "one").fences, lease._fence_at < float("inf")

    assert said() == (False, False)
    another(engine, settings)
    assert said() == (True, True), "at once, so that the other can take its work"
    with writing(engine) as session:
        session.execute(delete(Node).where(Node.name == "two"))
    assert [said(), said()] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    "left", [{"lost_at": func.now()}, {"lease_until": func.now() - timedelta(minutes=2)}]
)
def test_given_the_row_of_a_node_that_is_gone_when_the_only_other_one_renews_then_it_is_alone(
    one_of_two: NodeLease, clock: Clock, asterisk: Asterisk, engine: Engine, left: dict[str, Any]
) -> None:
    assert one_of_two._fence_at < float("inf")
    with writing(engine) as session:
        session.execute(update(Node).where(Node.name == "two").values(**left))
    turn(one_of_two)
    turn(one_of_two)
    with reading(engine) as session:
        assert not session.get_one(Node, "one").fences
    clock.at += 60
    turn(one_of_two)
    assert asterisk.told == 0, "nobody could take its conversations"


def test_given_a_node_without_asterisk_when_there_is_another_then_it_lets_its_lease_run_out_until_it_has_one(
    lease: NodeLease, clock: Clock, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    def lasts_until() -> Any:
        with reading(engine) as session:
            return session.get_one(Node, "one").lease_until

    lease._has_asterisk = lambda: asterisk.hears
    asterisk.hears = False
    turn(lease)
    clock.at += 2 * module._ASTERISK_S
    turn(lease)
    assert lease.leads(), "nobody could do its work"
    another(engine, settings)
    turn(lease)
    turn(lease)
    until_ = lasts_until()
    turn(lease)
    assert not lease.leads() and lasts_until() == until_
    asterisk.hears = True
    turn(lease)
    assert lease.leads() and lasts_until() > until_


def test_given_a_node_when_it_renews_then_asterisks_parent_is_told_how_long_its_calls_may_go_on(
    lease: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
    settings: Settings,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beside = settings.state_dir / "asterisk"
    beside.mkdir(parents=True)

    def told(by: NodeLease = lease) -> float | None:
        turn(by)
        return calls_until.read(beside)

    assert told() is None, "the only node: its conversations outlive its dialer"
    another(engine, settings)
    until_ = told()
    assert until_ == clock.at + 11, "after this one, before the grace is over"
    clock.at += 1
    assert told() == until_ + 1

    lease.close()
    clock.at += 15
    after = NodeLease(lease._settings, asterisk.hang_up)
    assert told(after) == clock.at + 11
    assert asterisk.told >= 1 and after.leads(), "what the parent has ended is written down as cut"

    (beside / "calls-until.new").mkdir()  # as a full disk does
    assert told(after) is None and "is not told" in caplog.text, "not what would soon be over"
    after.close()


def test_given_a_second_dialer_of_a_node_when_the_first_one_works_then_it_ends_none_of_its_calls(
    one_of_two: NodeLease,
    clock: Clock,
    asterisk: Asterisk,
) -> None:
    lease = one_of_two
    second = NodeLease(lease._settings, asterisk.hang_up)
    turn(second)
    clock.at += module._START_S
    turn(second)
    assert asterisk.told == 0 and lease.leads() and not second.leads()
    second.close()


def test_given_the_only_node_when_its_row_is_gone_with_a_restored_database_then_no_call_is_ended(
    lease: NodeLease, asterisk: Asterisk, engine: Engine
) -> None:
    turn(lease)
    with writing(engine) as session:
        session.execute(delete(Node))
    turn(lease)
    assert not lease.leads()
    turn(lease)
    assert lease.leads() and asterisk.told == 0


def test_given_a_fault_that_nobody_has_thought_of_when_a_lease_is_renewed_then_it_is_tried_again(
    lease: NodeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[bool] = []

    def fails() -> None:
        turns.append(True)
        if len(turns) == 2:
            lease.stop()
        raise ValueError

    monkeypatch.setattr(lease, "turn", fails)
    monkeypatch.setattr(lease, "fence", fails)
    monkeypatch.setattr(module, "_RENEW_S", 0.0)
    lease.run()
    assert len(turns) == 2 and not lease.leads()
    lease._stopped.clear()
    turns.clear()
    monkeypatch.setattr(module, "_ALONE_S", 0.0)
    lease.guard()
    assert len(turns) == 2


def test_given_a_dialer_of_the_version_before_when_it_is_at_work_then_none_of_this_one_is_and_so_conversely(
    lease: NodeLease, engine: Engine
) -> None:
    before = text("SELECT pg_try_advisory_lock(137, 0)")
    with engine.connect() as old:
        assert old.scalar(before)
        turn(lease)
        assert not lease.leads()
        old.execute(text("SELECT pg_advisory_unlock(137, 0)"))
        turn(lease)
        assert lease.leads() and not old.scalar(before)


def test_given_a_node_whose_work_was_taken_when_it_renews_then_it_ends_its_calls_and_begins_anew(
    one_of_two: NodeLease, asterisk: Asterisk, settings: Settings, engine: Engine
) -> None:
    lease = one_of_two
    before = fenced(engine, settings.model_copy(update={"node": "one"}), lease.epoch)
    with writing(engine) as session:
        leases.renew(session, "one", lease.epoch, fences=True)
        gone = now(session) - leases.LEASE - leases.GRACE
        session.execute(update(Node).where(Node.name == "one").values(lease_until=gone))
        assert leases.declare_dead(session, "one")
    turn(lease)
    assert not lease.leads()
    with pytest.raises(leases.Fenced), writing(before) as session:
        session.add(Official(kind=OfficialKind.MAYOR, office_fa="-", office_en="-", clip="-"))
    turn(lease)
    assert lease.leads() and asterisk.told >= 1
    with reading(engine) as session:
        assert {node.name for node in leases.live(session)} == {"one", "two"}


@pytest.fixture
def second(settings: Settings, asterisk: Asterisk, tmp_path: Path) -> Iterator[NodeLease]:
    """Another machine's, which was given the same name."""
    copy = {"node": "one", "state_dir": tmp_path / "second", "sip": Address("127.0.0.1", 5999)}
    second = NodeLease(settings.model_copy(update=copy), asterisk.hang_up)
    yield second
    second.close()


def test_given_two_machines_with_one_name_when_the_second_starts_then_it_says_so_and_the_first_goes_on(
    lease: NodeLease, second: NodeLease, clock: Clock, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    turn(lease)
    for _ in range(3):
        turn(second)
        turn(lease)
    assert (lease.leads(), second.leads()) == (True, False)
    assert caplog.text.count("another machine is node one already") == 1, "once a minute"
    epoch = lease.epoch
    lease.close()  # its dialer is started again, and the second one may have the lock first
    until(lambda: not has_lock(engine), "the server has ended its session")
    turn(second)
    assert not second.leads(), "its lease lasts"
    again = NodeLease(lease._settings, lambda: True)
    turn(again)
    assert again.leads() and again.epoch == epoch + 1, "the same machine is not locked out"
    again.close()


@pytest.mark.parametrize("fences", [True, False])
def test_given_a_machine_that_is_gone_when_another_has_its_name_then_it_takes_over_only_what_is_ended(
    lease: NodeLease, second: NodeLease, asterisk: Asterisk, engine: Engine, fences: bool
) -> None:
    turn(lease)
    turn(second)
    lease.close()
    until(lambda: not has_lock(engine), "the server has ended its session")
    with writing(engine) as session:
        callback = make.a_callback(session, C.TALKING)
        callback.node, callback.talking_at = "one", now(session)
        gone = now(session) - leases.LEASE - leases.GRACE
        session.execute(update(Node).values(lease_until=gone, fences=fences))
    for _ in range(3):
        turn(second)
    assert second.leads() is fences, "one that was alone may be cut off, and in conversation"
    with reading(engine) as session:
        state = session.get_one(Callback, callback.id).state
    assert state is (C.CLOSED if fences else C.TALKING)


def has_lock(engine: Engine) -> bool:
    held = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database AND datname = current_database()"
        " WHERE locktype = 'advisory' AND classid = 138 AND granted"
    )
    with engine.connect() as connection:
        return bool(connection.scalar(held))
