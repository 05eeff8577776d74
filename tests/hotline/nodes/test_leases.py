"""The lease of a node: one epoch at a time, by the database's clock, with fenced writes."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Node, Official, OfficialKind
from hotline.errors import Refused
from hotline.nodes import administration as commands
from hotline.nodes import leases
from settings import Settings
from tests.hotline.nodes.conftest import silent
from tests.kit.databases import in_both

Make = Callable[..., list[leases.Lease]]
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""SQLite has one machine, and no fence."""


@in_both
def test_renewed_lease_lasts_and_knows_if_it_is_alone(engine: Engine, nodes: Make) -> None:
    (lease,) = nodes("one")
    with writing(engine) as session:
        assert leases.renew(session, "one", lease.epoch, fences=True) == leases.Renewed(alone=True)
    nodes("two")
    with writing(engine) as session:
        assert leases.renew(session, "one", lease.epoch, fences=True) == leases.Renewed(alone=False)
        assert [node.name for node in leases.list_live(session)] == ["one", "two"]


@in_both
def test_restarted_dialer_ends_the_lease_before(engine: Engine, nodes: Make) -> None:
    (before,) = nodes("one")
    (after,) = nodes("one")
    assert after.epoch == before.epoch + 1 and not after.lost
    with writing(engine) as session:
        assert leases.renew(session, "one", before.epoch, fences=True) is None


@in_both
def test_running_or_just_expired_lease_is_not_dead(engine: Engine, nodes: Make) -> None:
    nodes("one")
    with writing(engine) as session:
        assert not leases.list_dead(session) and not leases.declare_dead(session, "one")
        just = now(session) - leases.GRACE / 2
        session.execute(update(Node).values(lease_until=just))
        assert not leases.list_live(session) and not leases.list_dead(session)
        assert not leases.declare_dead(session, "one")


@in_both
def test_expired_lone_node_is_removed_by_people_only(engine: Engine, nodes: Make) -> None:
    (lease,) = nodes("one")
    with writing(engine) as session:
        leases.renew(session, "one", lease.epoch, fences=False)
    nodes("two")
    with writing(engine) as session:
        commands.give_up(session, "one", who="somebody")
        silent(session, "one")
    with writing(engine) as session:
        assert not leases.list_dead(session) and not leases.declare_dead(session, "one"), (
            "it may be in conversation"
        )
        with pytest.raises(Refused, match="nobody has taken the work"):
            commands.remove(session, "one", who="somebody")
        commands.give_up(session, "one", who="somebody")
        assert [node.name for node in leases.list_dead(session)] == ["one"] and leases.declare_dead(
            session, "one"
        )
        commands.remove(session, "one", who="somebody")


@in_both
def test_node_declared_dead_works_again_once_clean(engine: Engine, nodes: Make, settings: Settings) -> None:
    (before,) = nodes("one")
    with writing(engine) as session:
        silent(session, "one")
        assert leases.declare_dead(session, "one")
    with writing(engine) as session:
        assert leases.renew(session, "one", before.epoch, fences=True) is None
        back = leases.take(session, settings.model_copy(update={"node": "one"}))
        assert back.lost and back.epoch > before.epoch + 1
        assert not leases.list_live(session)
        assert leases.clean(session, "one", back.epoch)
        assert [node.name for node in leases.list_live(session)] == ["one"]


def writes(engine: Engine, name: str, epoch: int) -> None:
    fenced = engine.execution_options(fence=partial(leases.check, name=name, epoch=epoch))
    with writing(fenced) as session:
        session.add(Official(kind=OfficialKind.MAYOR, office_fa="-", office_en=name, clip="-"))


def written(engine: Engine) -> int:
    with reading(engine) as session:
        return session.query(Official).filter(Official.office_en == "one").count()


@on_postgresql
def test_write_under_an_expired_or_foreign_lease_is_refused(engine: Engine, nodes: Make) -> None:
    (lease,) = nodes("one")
    writes(engine, "one", lease.epoch)
    with pytest.raises(leases.Fenced):
        writes(engine, "one", lease.epoch - 1)
    with writing(engine) as session:
        session.execute(update(Node).values(lease_until=now(session)))
    with pytest.raises(leases.Fenced):
        writes(engine, "one", lease.epoch)
    with writing(engine) as session:
        silent(session, "one")
        assert leases.declare_dead(session, "one")
    with pytest.raises(leases.Fenced):
        writes(engine, "one", lease.epoch)
    assert written(engine) == 1


@on_postgresql
def test_write_in_progress_delays_the_declaration_of_death(engine: Engine, nodes: Make) -> None:
    (lease,) = nodes("one")
    began, goes_on = threading.Event(), threading.Event()

    def slow() -> None:
        fenced = engine.execution_options(fence=partial(leases.check, name="one", epoch=lease.epoch))
        with writing(fenced) as session:
            session.add(Official(kind=OfficialKind.MAYOR, office_fa="-", office_en="one", clip="-"))
            session.flush()
            began.set()
            goes_on.wait(5)

    writer = threading.Thread(target=slow)
    writer.start()
    assert began.wait(5)
    with writing(engine) as session:
        assert leases.renew(session, "one", lease.epoch, fences=True), "a renewal waits for no writer"
        silent(session, "one")
    with writing(engine) as session:
        assert not leases.declare_dead(session, "one"), "its transaction is not over"
    goes_on.set()
    writer.join(5)
    with writing(engine) as session:
        assert leases.declare_dead(session, "one")
    assert written(engine) == 1


@in_both
def test_only_a_lost_node_is_removed(engine: Engine, nodes: Make) -> None:
    nodes("one", "two")

    def states() -> dict[str, str]:
        with reading(engine) as session:
            return {each.name: each.state for each in commands.list_all(session)}

    with writing(engine) as session:
        commands.drain(session, "one", who="somebody")
        with pytest.raises(Refused, match="no other node lives"):
            commands.drain(session, "two", who="somebody")
        silent(session, "two")
    assert states() == {"one": "draining", "two": "gone"}
    with writing(engine) as session:
        commands.drain(session, "one", who="somebody", drained=False)
        with pytest.raises(Refused, match="no other node lives"):
            commands.drain(session, "one", who="somebody")
        assert leases.declare_dead(session, "two")
        commands.remove(session, "two", who="somebody")
        with pytest.raises(Refused, match="stop it first"):
            commands.remove(session, "one", who="somebody")
        with pytest.raises(Refused, match="no node"):
            commands.drain(session, "three", who="somebody")
    assert states() == {"one": "live"}
