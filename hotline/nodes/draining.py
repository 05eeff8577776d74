"""Nodes that get no new work: draining, cut off from the trunks, or without a working ivr."""

from datetime import timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    String,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.engine import ago, now
from db.models import Node, UtcDateTime
from hotline.nodes.leases import where_live

_Name = InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | BindParameter[str]
_NAME = bindparam("name", type_=String)
SILENT = timedelta(seconds=8)
"""A node's ivr reports every two seconds; after this time without a report it counts as away."""


def where_cut_off(name: _Name, *, for_long: bool = False) -> ColumnElement[bool]:
    """Condition with the parameter `at`: no trunk answers the node, but one answers another live node.

    So the node's own way to the trunks is cut. `for_long`: at least since the parameter `long_ago`.
    """
    itself, other = aliased(Node), aliased(Node)
    told = [itself.trunk_told_at <= bindparam("long_ago", type_=UtcDateTime)] if for_long else []
    less = other.name != itself.name, _hears_less(itself, other)
    return exists().where(itself.name == name, *less, *where_live(other), *told)


def where_drained(name: _Name, *, for_long: bool = False) -> ColumnElement[bool]:
    """Condition with the parameter `at`: the node must get no new work.

    Either it drains, or it is `where_cut_off`, or its ivr is away while another node's works. The condition
    is false while no other node could take the work, so a forgotten drain stops nothing.
    """
    itself, other = aliased(Node), aliased(Node)
    told = [itself.ivr_at <= bindparam("long_ago", type_=UtcDateTime)] if for_long else []
    less = other.name != itself.name, is_mute(itself), other.ivr_at.is_not(None), ~is_mute(other)
    mute = exists().where(itself.name == name, *less, *where_live(other), *told)
    drains = exists().where(
        itself.name == name,
        itself.draining_at.is_not(None),
        other.name != itself.name,
        other.draining_at.is_(None),
        ~_hears_less(other, itself),
        *where_live(other),
    )
    return or_(drains, where_cut_off(name, for_long=for_long), mute)


def is_mute(node: type[Node] = Node) -> ColumnElement[bool]:
    """Condition on Node: its ivr has not reported lately (`expect_ivr`). No script would speak there."""
    return func.coalesce(node.ivr_at < ago(SILENT), False)


def _hears_less(node: type[Node], other: type[Node]) -> ColumnElement[bool]:
    return and_(node.trunk_answers.is_(False), other.trunk_answers.is_(True))


def where_marked() -> ColumnElement[bool]:
    """Condition on Node: it may be `where_drained`; a cheap first check."""
    return or_(Node.draining_at.is_not(None), Node.trunk_answers.is_(False), is_mute())


# Each node asks this every second: it is built once, and the clock is read only for a marked node.
IS_MARKED = exists().where(Node.name == _NAME, where_marked())
_IS_MARKED = select(IS_MARKED)
_DRAINS, _IS_CUT_OFF = select(where_drained(_NAME)), select(where_cut_off(_NAME))
_CUT_OFF = select(Node.name).where(where_cut_off(Node.name))


def is_drained(session: Session, name: str) -> bool:
    """Return whether the node must get no new work."""
    marked = session.scalar(_IS_MARKED, {"name": name})
    return bool(marked and session.scalar(_DRAINS, {"name": name, "at": now(session)}))


def is_cut_off(session: Session, name: str) -> bool:
    """Return whether no trunk answers the node while one answers another."""
    return bool(session.scalar(_IS_CUT_OFF, {"name": name, "at": now(session)}))


def list_cut_off(session: Session) -> set[str]:
    """Return the names of the nodes that are cut off."""
    return set(session.scalars(_CUT_OFF, {"at": now(session)}))


def find_trunk_answer(session: Session, name: str) -> bool | None:
    """Return whether a trunk answers the node, as it last reported; None: no report."""
    return session.scalar(select(Node.trunk_answers).where(Node.name == name))


_IS_MUTE = select(exists().where(Node.name == _NAME, is_mute()))


def has_no_ivr(session: Session, name: str) -> bool:
    """Return whether a person called by this node would hear no script."""
    return bool(session.scalar(_IS_MUTE, {"name": name}))


def expect_ivr(session: Session, name: str) -> None:
    """Let an ivr that has never reported count as away SILENT from now on.

    Only a dialer whose version has an ivr that reports for its node calls this, and no dialer on SQLite.
    """
    session.execute(update(Node).where(Node.name == name, Node.ivr_at.is_(None)).values(ivr_at=now(session)))


def record_ivr(session: Session, name: str) -> None:
    """Record that the node's ivr works now."""
    session.execute(update(Node).where(Node.name == name).values(ivr_at=now(session)))


def tell_trunk(session: Session, name: str, *, answers: bool | None) -> None:
    """Record whether any trunk answers the node; None: perhaps none ever will."""
    told = update(Node).where(Node.name == name, Node.trunk_answers.is_distinct_from(answers))
    session.execute(told.values(trunk_answers=answers, trunk_told_at=now(session)))
