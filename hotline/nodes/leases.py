"""A node's lease, by the database's clock, and the fence around whatever its dialer writes.

Who took a lease has an epoch. Who takes over raises it, and waits for every transaction that has shown the
one before (`check`): after that nothing of a node that was declared dead is committed any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    String,
    Update,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from db.engine import core, now
from db.models import Node, UtcDateTime
from db.peeks import ago
from hotline.nodes import machines
from settings import Settings

LEASE = timedelta(seconds=10)
"""Renewed each second."""
GRACE = timedelta(seconds=5)
"""So long after its lease a node is not declared dead yet: it may be starting again."""
_FORGOTTEN = timedelta(minutes=1)
"""So long after its lease a node whose work nobody has taken over may still be coming back."""


class Fenced(Exception):
    """This dialer's lease is over, or its work another's."""


class Lease(NamedTuple):
    """What a dialer shows with each transaction."""

    epoch: int
    lost: bool
    """The node's work was taken over: what its Asterisk still has is nobody's (`clean`)."""


class Renewed(NamedTuple):
    """A lease that goes on."""

    alone: bool
    """No other node lives, so nobody can take this one's work. A row that is left of one says nothing."""


def take(session: Session, settings: Settings) -> Lease:
    """The lease of this machine's node, whoever had it: only the holder of the node's lock comes here."""
    at = now(session)
    values = {
        "machine": machines.this(settings),
        "sip": str(settings.sip),
        "host": settings.asterisk_http.host,
        "websocket_url": settings.websocket,
        "capacity": settings.channels,
        "started_at": at,
    }
    node = session.get(Node, settings.node, with_for_update=True)
    if node is None:
        # more than any before it, should one of this name have been removed
        node = Node(name=settings.node, epoch=int(at.timestamp()), lease_until=at, **values)
        session.add(node)
    elif machines.is_others(node, settings):
        node.lost_at = node.lost_at or at  # its calls are in no Asterisk of this machine's
    for name, value in values.items():
        setattr(node, name, value)
    node.epoch += 1
    node.lease_until = at + LEASE
    session.flush()
    return Lease(node.epoch, node.lost_at is not None)


def at_other_machine(session: Session, settings: Settings, *, seen: bool = False) -> str | None:
    """Where the other machine's Asterisk listens that works under this one's name; None: there is none.

    One that is silent for the lease and the grace has left the name, but to nobody who has `seen` it at work
    if it fences nothing: it may be cut off, and in conversation.
    """
    node = session.get(Node, settings.node)
    if node is None or node.lost_at is not None or not machines.is_others(node, settings):
        return None
    works = node.lease_until > now(session) - GRACE or (seen and not node.fences)
    return node.sip if works else None


def is_lost(session: Session, name: str) -> bool:
    """Whether the node's work was taken over, and it has not been given any since."""
    return bool(session.scalar(select(exists().where(Node.name == name, Node.lost_at.is_not(None)))))


def kept(settings: Settings) -> Update:
    """Keeps the lease of the only machine that there can be, whose dialer a locked file keeps alone.

    For db.peeks.poke. Where it changes nothing, there is none to be kept (`take_only`).
    """
    mine = Node.name == settings.node, Node.sip == str(settings.sip)
    lasts = Node.lost_at.is_(None), Node.lease_until > ago()
    return update(Node).where(*mine, *lasts).values(lease_until=ago(-LEASE))


def take_only(session: Session, settings: Settings) -> None:
    """Take that machine's lease."""
    take(session, settings)
    session.get_one(Node, settings.node).lost_at = None


def clean(session: Session, name: str, epoch: int) -> bool:
    """Nothing of what was taken over is left in the node's Asterisk: it may be given work again."""
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
)


def renew(session: Session, name: str, epoch: int, *, fences: bool) -> Renewed | None:
    """The lease lasts from now; None: somebody else has taken the node's work, or it is removed.

    `fences`: its calls will have ended by the time at which it may be declared dead. It may not before.
    """
    row = core(session).execute(_RENEW, {"mine": name, "its": epoch, "so": fences}).first()
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
"""PostgreSQL's alone: a share of the row, which a renewal does not wait for, and a take-over does."""


def check(session: Session, name: str, epoch: int) -> None:
    """That this transaction may write for the node; until it ends nobody takes over. Raises Fenced."""
    if session.connection().execute(_CHECK, {"name": name, "epoch": epoch}).first() is None:
        raise Fenced(f"the lease of node {name} is not this dialer's any more")


_over = and_(Node.fences, Node.lease_until < bindparam("before", type_=UtcDateTime))


def lives(node: type[Node] = Node) -> tuple[ColumnElement[bool], ...]:
    """In a query, with the parameter `at`: whether the node's lease lasts."""
    return node.lost_at.is_(None), node.lease_until > bindparam("at", type_=UtcDateTime)


_LIVE = select(Node).where(*lives()).order_by(Node.name)


def live(session: Session) -> Sequence[Node]:
    """The nodes whose lease lasts."""
    return session.scalars(_LIVE, {"at": now(session)}).all()


def is_live(node: Node, at: datetime) -> bool:
    """Whether its lease lasts."""
    return node.lost_at is None and node.lease_until > at


_RENEWALS = select(Node.name, Node.lease_until)
_OVER = select(Node).where(_over)


@lru_cache(4)
def others(name: str) -> Select[bool]:
    """Whether any node has another name, be it dead (db.peeks.peek)."""
    return select(exists().where(Node.name != name))


def renewals(session: Session) -> dict[str, datetime]:
    """Until when each node has its lease: another moment after each renewal."""
    return {name: until for name, until in core(session).execute(_RENEWALS)}


def over(session: Session) -> Sequence[Node]:
    """The nodes whose lease has been over for so long that they count as dead.

    Not one that has never known of another: it may be cut off, and in conversation.
    """
    return session.scalars(_OVER, {"before": now(session) - GRACE}).all()


def declare_dead(session: Session, name: str) -> int | None:
    """From here on whatever the node's dialer had begun is committed, or never will be.

    Returns the epoch in which that is so (`check_lost`); None if its lease lasts, or a transaction of its
    own does: to be asked again.
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
    """That the node has not come back since; until this transaction ends it does not. Raises Fenced."""
    lost = select(Node.name).where(Node.name == name, Node.epoch == epoch, Node.lost_at.is_not(None))
    if session.scalar(lost.with_for_update(read=True)) is None:
        raise Fenced(f"node {name} is there again, or another's to take over")
