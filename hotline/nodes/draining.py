"""Nodes that get nothing new: they drain, their own way to the trunks is cut, or their ivr is away."""

from datetime import timedelta
from functools import lru_cache

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    Update,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.engine import core, now
from db.models import Node, UtcDateTime
from db.peeks import ago
from hotline.nodes.leases import lives

_Name = InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | BindParameter[str]
_NAME = bindparam("name", type_=String)
SILENT = timedelta(seconds=8)
"""A node's ivr says each other second that it works; after so long it does not."""


def cut_off(name: _Name, *, for_long: bool = False) -> ColumnElement[bool]:
    """In a query, with the parameter `at`: whether no trunk answers the node, and one answers another.

    So its own way to the trunks is cut. `for_long`: since the parameter `long_ago` at least.
    """
    itself, other = aliased(Node), aliased(Node)
    told = [itself.trunk_told_at <= bindparam("long_ago", type_=UtcDateTime)] if for_long else []
    less = other.name != itself.name, _hears_less(itself, other)
    return exists().where(itself.name == name, *less, *lives(other), *told)


def drained(name: _Name, *, for_long: bool = False) -> ColumnElement[bool]:
    """In a query, with the parameter `at`: whether the node is to get nothing new.

    It drains, is `cut_off`, or its ivr is away and another's is not. Not while no other one would get it: a
    drain that was forgotten stops nothing.
    """
    itself, other = aliased(Node), aliased(Node)
    told = [itself.ivr_at <= bindparam("long_ago", type_=UtcDateTime)] if for_long else []
    less = other.name != itself.name, is_mute(itself), other.ivr_at.is_not(None), ~is_mute(other)
    mute = exists().where(itself.name == name, *less, *lives(other), *told)
    drains = exists().where(
        itself.name == name,
        itself.draining_at.is_not(None),
        other.name != itself.name,
        other.draining_at.is_(None),
        ~_hears_less(other, itself),
        *lives(other),
    )
    return or_(drains, cut_off(name, for_long=for_long), mute)


def is_mute(node: type[Node] = Node) -> ColumnElement[bool]:
    """In a query of Node: whether its ivr, which has worked, says so no more: no script speaks there."""
    return func.coalesce(node.ivr_at < ago(SILENT), False)


def _hears_less(node: type[Node], other: type[Node]) -> ColumnElement[bool]:
    return and_(node.trunk_answers.is_(False), other.trunk_answers.is_(True))


def marked() -> ColumnElement[bool]:
    """In a query of Node: whether it can be `drained` at all."""
    return or_(Node.draining_at.is_not(None), Node.trunk_answers.is_(False), is_mute())


# Asked by each node every second: built once, and the clock is asked only of one that is marked.
IS_MARKED = exists().where(Node.name == _NAME, marked())
_IS_MARKED = select(IS_MARKED)
_DRAINS, _IS_CUT_OFF = select(drained(_NAME)), select(cut_off(_NAME))
_CUT_OFF = select(Node.name).where(cut_off(Node.name))


def is_marked(name: str) -> Select[tuple[bool]]:
    """Whether it can be that the node `drains` (db.peeks.peek)."""
    return select(exists().where(Node.name == name, marked()))


def drains(session: Session, name: str) -> bool:
    """Whether the node is to get nothing new."""
    marked = core(session).scalar(_IS_MARKED, {"name": name})
    return bool(marked and core(session).scalar(_DRAINS, {"name": name, "at": now(session)}))


def is_cut_off(session: Session, name: str) -> bool:
    """Whether no trunk answers the node, and one answers another."""
    return bool(core(session).scalar(_IS_CUT_OFF, {"name": name, "at": now(session)}))


def all_cut_off(session: Session) -> set[str]:
    """The names of the nodes of which that is so."""
    return set(session.scalars(_CUT_OFF, {"at": now(session)}))


def trunk_answers(session: Session, name: str) -> bool | None:
    """What the node has said of its trunks; None: nothing."""
    return session.scalar(select(Node.trunk_answers).where(Node.name == name))


_IS_MUTE = select(exists().where(Node.name == _NAME, is_mute()))


def has_no_ivr(session: Session, name: str) -> bool:
    """Whether whoever is called by this node would hear no script."""
    return bool(core(session).scalar(_IS_MUTE, {"name": name}))


@lru_cache(4)
def ivr_works(name: str) -> Update:
    """That the node's ivr works, as a statement for db.peeks.poke."""
    return update(Node).where(Node.name == name).values(ivr_at=ago())


def tell_trunk(session: Session, name: str, *, answers: bool | None) -> None:
    """Whether any trunk answers the node; None: it may be that none ever will."""
    told = update(Node).where(Node.name == name, Node.trunk_answers.is_distinct_from(answers))
    session.execute(told.values(trunk_answers=answers, trunk_told_at=now(session)))
