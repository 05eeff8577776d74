"""An operators' line that has followed a caller is freed if the desk's phone does not come."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Registration
from db.states import CallbackState as C
from hotline import heartbeats
from hotline.callbacks import operators_line_node, waiting_callers
from hotline.nodes import phones
from tests import factories as make
from tests.hotline.nodes.conftest import silent
from tests.hotline.nodes.presses_0 import another_waits, first_desk, lives, presses_0, waits
from tests.kit.databases import in_both


@in_both
def test_absent_desk_frees_the_moved_line_after_the_caller(engine: Engine, line: int) -> None:
    _, place, _ = presses_0(engine, "two")
    waits(engine, place, "two")
    with writing(engine) as session:
        heartbeats.record_phone(session, first_desk(session).id, None, "one")
        assert not operators_line_node.is_left_empty(session, "two"), "somebody waits"
    with writing(engine) as session:
        waiting_callers.leave(session, f"channel-{place}")
    with reading(engine) as session:
        assert operators_line_node.is_left_empty(session, "two") and not operators_line_node.is_left_empty(
            session, "one"
        )
    with writing(engine) as session:
        operators_line_node.detach(session, "two")
    assert lives(engine, line) is None
    with reading(engine) as session:
        home = phones.find_node(session, first_desk(session))
        assert home is not None and home.name == "one", "where it could be"
    with reading(engine) as session:
        kept = session.get_one(Registration, place)
        assert kept.state == "waiting", "and who waited is called back"


def desk_has_come(session: Session, _line: int) -> None:
    heartbeats.record_phone(session, first_desk(session).id, "PJSIP/desk-2", "two")


def speaks_there(session: Session, line: int) -> None:
    talks = make.a_callback(session, C.TALKING)
    talks.round_id, talks.placed_at = line, now(session)


def is_alone(session: Session, _line: int) -> None:
    silent(session, "one")
    silent(session, "three")


@pytest.mark.parametrize("how", [desk_has_come, speaks_there, another_waits, is_alone])
@in_both
def test_line_with_anybody_on_it_stays_when_a_caller_leaves(
    engine: Engine, line: int, how: Callable[[Session, int], None]
) -> None:
    presses_0(engine, "two")
    with writing(engine) as session:
        how(session, line)
        session.flush()
        assert not operators_line_node.is_left_empty(session, "two")
    with writing(engine) as session:
        operators_line_node.detach(session, "two")
    assert lives(engine, line) == "two"
