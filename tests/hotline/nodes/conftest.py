"""Nodes of one installation, by the database's clock."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Node
from hotline.nodes import leases
from hotline.rounds import phases
from settings import Settings
from tests.hotline.callbacks.waiting_callers import a_live_desk
from tests.kit.databases import on_both

__all__ = ["on_both"]


def a_node(session: Session, settings: Settings, name: str) -> leases.Lease:
    """It has its lease, its Asterisk is clean, and it knows of others."""
    lease = leases.take(session, settings.model_copy(update={"node": name}))
    leases.clean(session, name, lease.epoch)
    leases.renew(session, name, lease.epoch, fences=True)
    lasts = now(session) + timedelta(hours=1)  # no dialer renews it here, and a busy machine is slow
    session.execute(update(Node).where(Node.name == name).values(lease_until=lasts))
    return lease


def silent(session: Session, name: str) -> None:
    """Its lease has been over for long enough."""
    over = now(session) - leases.GRACE - leases.LEASE
    session.execute(update(Node).where(Node.name == name).values(lease_until=over))


@pytest.fixture
def nodes(engine: Engine, settings: Settings) -> Callable[..., list[leases.Lease]]:
    """Some nodes that are alive."""

    def make(*names: str) -> list[leases.Lease]:
        with writing(engine) as session:
            return [a_node(session, settings, name) for name in names]

    return make


@pytest.fixture
def line(engine: Engine, nodes: Callable[..., list[leases.Lease]]) -> int:
    """The operators' line, at home on node `one`, with a free desk's browser there."""
    nodes("one", "two", "three")
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        line.node = "one"
        session.flush()
        a_live_desk(session, node="one", channel="PJSIP/desk-1")
        return line.id
