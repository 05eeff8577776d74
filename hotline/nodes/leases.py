"""Leases of nodes by the database's clock, and the fence around every write of a dialer.

Each lease has an epoch. A take-over raises the epoch, and waits for all transactions that passed `check` with
the old one. After that, a node that was declared dead can commit nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    DateTime,
    String,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from db.engine import ago, now
from db.models import Node, UtcDateTime
from hotline.nodes import node_identity
from settings import Settings

LEASE = timedelta(seconds=10)
"""Length of a lease; it is renewed each second."""
GRACE = timedelta(seconds=5)
"""How long after the end of its lease a node is not declared dead: it may be restarting."""
_FORGOTTEN = timedelta(minutes=1)
"""How long after the end of its lease a node without a successor may still return."""


class Fenced(Exception):
    """The dialer's lease has ended, or another dialer has the node's work."""


class Lease(NamedTuple):
    """The lease that a dialer shows in each transaction."""

    epoch: int
    lost: bool
    """Whether the node's work was taken over: calls left in its Asterisk belong to nobody (`clean`)."""


class Renewed(NamedTuple):
    """A renewed lease."""

    alone: bool
    """Whether no other node lives that could take over. A leftover row of a node does not count."""


def take(session: Session, settings: Settings) -> Lease:
    """Take the lease of this machine's node from any holder. The caller must hold the node's lock file."""
    at = now(session)
    values = {
        "machine": node_identity.get_identity(settings),
        "sip": str(settings.sip),
        "host": settings.asterisk_http.host,
        "websocket_url": settings.websocket,
        "capacity": settings.channels,
        "started_at": at,
    }
    node = session.get(Node, settings.node, with_for_update=True)
    if node is None:
        # higher than any earlier epoch, in case a node of this name was removed
        node = Node(name=settings.node, epoch=int(at.timestamp()), lease_until=at, **values)
        session.add(node)
    elif node_identity.is_others(node, settings):
        node.lost_at = node.lost_at or at  # its calls are not in this machine's Asterisk
    for name, value in values.items():
        setattr(node, name, value)
    node.epoch += 1
    node.lease_until = at + LEASE
    session.flush()
    return Lease(node.epoch, node.lost_at is not None)


def find_other_machine(session: Session, settings: Settings, *, seen: bool = False) -> str | None:
    """Return the SIP address of another machine that works under this node's name, or None.

    After lease and grace, a silent machine has left the name. If this process has `seen` it at work and it
    does not fence itself, it still counts. It may be cut off and in conversation.
    """
    node = session.get(Node, settings.node)
    if node is None or node.lost_at is not None or not node_identity.is_others(node, settings):
        return None
    works = node.lease_until > now(session) - GRACE or (seen and not node.fences)
    return node.sip if works else None


def is_lost(session: Session, name: str) -> bool:
    """Return whether the node's work was taken over and the node is not yet clean."""
    return bool(session.scalar(select(exists().where(Node.name == name, Node.lost_at.is_not(None)))))


def keep_only(session: Session, settings: Settings) -> None:
    """Renew the lease of the only possible machine; take it if there is none to renew.

    SQLite only: a lock file admits one dialer.
    """
    node, at = session.get(Node, settings.node), now(session)
    if node is not None and is_live(node, at) and node.sip == str(settings.sip):
        node.lease_until = at + LEASE
    else:
        take_only(session, settings)


def take_only(session: Session, settings: Settings) -> None:
    """Take the lease of the only possible machine."""
    take(session, settings)
    session.get_one(Node, settings.node).lost_at = None


def clean(session: Session, name: str, epoch: int) -> bool:
    """Record that nothing of the lost work is left in the node's Asterisk; it may get work again."""
    return _mine(session, name, epoch, lost_at=None)


_other = aliased(Node)
_RENEW = (
    update(Node)
    .where(Node.name == bindparam("mine"), Node.epoch == bindparam("its"))
    .values(lease_until=ago(-LEASE), fences=bindparam("so"))
    .returning(
        exists()
        .where(
            _other.name != bindparam("mine", type_=String),
            _other.lost_at.is_(None),
            _other.lease_until > ago(_FORGOTTEN),
        )
        .label("others")
    )
    .execution_options(synchronize_session=False)
)


def renew(session: Session, name: str, epoch: int, *, fences: bool) -> Renewed | None:
    """Renew the lease; return None if another dialer has the node's work, or the node was removed.

    `fences`: its calls will end before it may be declared dead. Without that it may not be declared dead.
    """
    row = session.execute(_RENEW, {"mine": name, "its": epoch, "so": fences}).first()
    return None if row is None else Renewed(alone=not row.others)


def _mine(session: Session, name: str, epoch: int, **values: datetime | bool | None) -> bool:
    changed = update(Node).where(Node.name == name, Node.epoch == epoch).values(**values)
    found = session.scalar(changed.returning(Node.name).execution_options(synchronize_session=False))
    return found is not None


_CHECK = (
    select(Node.epoch)
    .where(
        Node.name == bindparam("name"),
        Node.epoch == bindparam("epoch"),
        Node.lost_at.is_(None),
        Node.lease_until > func.clock_timestamp(type_=DateTime(timezone=True)),
    )
    .with_for_update(read=True, key_share=True)
)
"""PostgreSQL only: a shared lock of the row. A renewal does not wait for it, but a take-over does."""


def check(session: Session, name: str, epoch: int) -> None:
    """Check that this transaction may write for the node; until it ends, nobody takes over. Raises Fenced."""
    if session.connection().execute(_CHECK, {"name": name, "epoch": epoch}).first() is None:
        raise Fenced(f"the lease of node {name} is not this dialer's any more")


_over = and_(Node.fences, Node.lease_until < bindparam("before", type_=UtcDateTime))


def where_live(node: type[Node] = Node) -> tuple[ColumnElement[bool], ...]:
    """Conditions with the parameter `at`: the node's lease is valid."""
    return node.lost_at.is_(None), node.lease_until > bindparam("at", type_=UtcDateTime)


_LIVE = select(Node).where(*where_live()).order_by(Node.name)


def list_live(session: Session) -> Sequence[Node]:
    """Return the nodes with a valid lease."""
    return session.scalars(_LIVE, {"at": now(session)}).all()


def is_live(node: Node, at: datetime) -> bool:
    """Return whether the node's lease is valid."""
    return node.lost_at is None and node.lease_until > at


_RENEWALS = select(Node.name, Node.lease_until)
_OVER = select(Node).where(_over)


def list_lease_ends(session: Session) -> dict[str, datetime]:
    """Return the end of each node's lease; it changes with each renewal."""
    return {name: until for name, until in session.execute(_RENEWALS)}


def list_dead(session: Session) -> Sequence[Node]:
    """Return the nodes whose lease ended so long ago that they count as dead.

    A node that never knew of another is left out: it may be cut off and in conversation.
    """
    return session.scalars(_OVER, {"before": now(session) - GRACE}).all()


def declare_dead(session: Session, name: str) -> int | None:
    """Declare a node dead; after that its dialer can commit nothing.

    Return the new epoch for `check_lost`. Return None if the lease is valid or one of its transactions runs:
    ask again.
    """
    dead = select(Node).where(Node.name == name, _over).with_for_update(skip_locked=True)
    anew = dead.execution_options(populate_existing=True)
    node = session.scalar(anew, {"before": now(session) - GRACE})
    if node is None:
        return None
    node.epoch += 1
    node.lost_at = node.lost_at or now(session)
    session.flush()
    return node.epoch


def check_lost(session: Session, name: str, epoch: int) -> None:
    """Check that the node has not returned since; until this transaction ends it cannot. Raises Fenced."""
    lost = select(Node.name).where(Node.name == name, Node.epoch == epoch, Node.lost_at.is_not(None))
    if session.scalar(lost.with_for_update(read=True)) is None:
        raise Fenced(f"node {name} is there again, or another's to take over")
