"""Which nodes are to get nothing new: those that drain, and those whose own way to the trunks is cut."""

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.engine import core, now
from db.models import Node, UtcDateTime
from hotline.nodes.leases import lives

_Name = InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | BindParameter[str]
_NAME = bindparam("name", type_=String)


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

    It drains, or is `cut_off`. Not while no other one would get it: a drain that was forgotten stops nothing.
    """
    itself, other = aliased(Node), aliased(Node)
    drains = exists().where(
        itself.name == name,
        itself.draining_at.is_not(None),
        other.name != itself.name,
        other.draining_at.is_(None),
        ~_hears_less(other, itself),
        *lives(other),
    )
    return or_(drains, cut_off(name, for_long=for_long))


def _hears_less(node: type[Node], other: type[Node]) -> ColumnElement[bool]:
    return and_(node.trunk_answers.is_(False), other.trunk_answers.is_(True))


def marked() -> ColumnElement[bool]:
    """In a query of Node: whether it can be `drained` at all."""
    return or_(Node.draining_at.is_not(None), Node.trunk_answers.is_(False))


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


def tell_trunk(session: Session, name: str, *, answers: bool | None) -> None:
    """Whether any trunk answers the node; None: it may be that none ever will."""
    told = update(Node).where(Node.name == name, Node.trunk_answers.is_distinct_from(answers))
    session.execute(told.values(trunk_answers=answers, trunk_told_at=now(session)))
