"""Two who press 0, or who pauses the line, in the same moment: one has it, nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import CallerNow, Registration, Round
from hotline.callbacks import operators_line_node, waiting_callers
from hotline.callbacks.operators_line_node import Side
from hotline.line import registration
from hotline.rounds import phases
from tests import factories as make
from tests.hotline.nodes.presses_0 import lives, presses_0, presses_0_in
from tests.hotline.test_lock_order import beside
from tests.kit.databases import in_both


@in_both
def test_simultaneous_key_0_on_two_nodes_moves_the_line_once(engine: Engine, line: int) -> None:
    """On `three` and on `two`, of which neither has it."""
    both = threading.Barrier(2, timeout=20)

    def presses(node: str) -> tuple[Side, int, waiting_callers.Outlook]:
        both.wait()
        return presses_0(engine, node)

    with ThreadPoolExecutor() as pool:
        told = dict(zip(("two", "three"), pool.map(presses, ("two", "three")), strict=True))
    (winner,) = (node for node, (side, *_) in told.items() if side is Side.COMES)
    (other,) = told.keys() - {winner}
    assert (told[other][0], lives(engine, line)) == (Side.ELSEWHERE, winner)
    with reading(engine) as session:
        assert len(session.scalars(select(Registration)).all()) == 2, "each has the one place"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_key_0_at_the_lines_node_keeps_it_there(engine: Engine, line: int) -> None:
    """The second caller waits for the lock of the first, and sees that place."""
    number = make.a_number()
    with writing(engine) as session:
        session.add(CallerNow(channel="1.1", number=number, since=now(session), node="one"))
    waiting = threading.Event()

    @event.listens_for(engine, "before_cursor_execute")
    def _asks(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FOR NO KEY UPDATE" in statement and "rounds.node" in statement:
            waiting.set()

    with ThreadPoolExecutor() as pool:
        with writing(engine) as session:
            assert operators_line_node.hold(session, "one") is Side.HERE
            other = pool.submit(presses_0, engine, "two")
            assert waiting.wait(20)
            registration.register(session, round_id=line, number=number, tell=False)
        assert other.result(20)[0] is Side.ELSEWHERE
    assert lives(engine, line) == "one"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_callers_of_a_node_share_the_moved_line(engine: Engine, line: int) -> None:
    asked = threading.Semaphore(0)

    @event.listens_for(engine, "before_cursor_execute")
    def _asks(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FOR NO KEY UPDATE" in statement and "rounds.node" in statement:
            asked.release()

    with ThreadPoolExecutor() as pool:
        with writing(engine) as session:
            assert operators_line_node.hold(session, "two") is Side.COMES
            assert asked.acquire(timeout=20)
            others = [pool.submit(presses_0, engine, "two") for _ in range(2)]
            for _ in others:
                assert asked.acquire(timeout=20)
            registration.register(session, round_id=line, number=make.a_number(), tell=False)
            operators_line_node.follow(session, "two")
        assert [other.result(20)[0] for other in others] == [Side.HERE] * 2


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("node", ["one", "two"])
def test_pause_beside_a_move_does_both(engine: Engine, line: int, node: str) -> None:
    """The caller waits for the line's row before they hold the log, for which who pauses it waits."""

    def pauses(session: Session) -> None:
        session.scalars(select(Round.id).where(Round.id == line).with_for_update(key_share=True)).one()

    beside(
        engine,
        holds=pauses,
        act=lambda session: presses_0_in(session, node),
        then=lambda session: phases.pause(session, session.get_one(Round, line)),
    )
    with reading(engine) as session:
        assert len(session.scalars(select(Registration)).all()) == 1
        paused = session.get_one(Round, line)
        assert paused.paused_at and paused.node == "one", "a line that is paused follows nobody"
