"""Seals: the root of the RFC 9162 Merkle tree over the ledger's first entries, published again and again.

Whoever has noted a root can later prove that nothing before it was changed, and any entry's place under it.
The exact hashing is in docs/ledger.md. What is kept of the tree between calls is a cache of its inner nodes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, func, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import LedgerEntry, Seal
from hotline.errors import Refused
from hotline.ledger import merkle


class _Tree(merkle.Tree):
    """The tree over the ledger of one database, and whose turn it is to ask it."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = Lock()


_trees: WeakKeyDictionary[Pool, _Tree] = WeakKeyDictionary()


@contextmanager
def _tree(session: Session) -> Iterator[tuple[merkle.Tree, merkle.Read]]:
    def read(start: int, end: int) -> list[bytes]:
        query = select(LedgerEntry.digest).where(LedgerEntry.id.between(start + 1, end))
        return [bytes.fromhex(digest) for digest in session.scalars(query.order_by(LedgerEntry.id))]

    tree = _trees.setdefault(session.get_bind().engine.pool, _Tree())
    with tree.lock:
        tree.check(read)
        yield tree, read


def _size(session: Session) -> int:
    return session.scalar(select(func.max(LedgerEntry.id))) or 0


def warm(session: Session) -> None:
    """Read what is new of the ledger, which may take seconds the first time, before anybody is held up."""
    if size := _size(session):
        with _tree(session) as (tree, read):
            tree.root(read, size)


def seal(session: Session) -> Seal | None:
    """Seal all entries so far; None if there is nothing new. Call `warm` before, in another transaction."""
    events.hold_order(session)
    last = newest(session)
    size = _size(session)
    if size == (last.size if last else 0):
        return None
    with _tree(session) as (tree, read):
        root = tree.root(read, size).hex()
    # a clock that was set back does not make the past look forged
    sealed_at = max(now(session), session.get_one(LedgerEntry, size).at)
    made = Seal(size=size, root=root, sealed_at=sealed_at)
    session.add(made)
    session.flush()
    return made


def newest(session: Session) -> Seal | None:
    """The last seal."""
    return session.scalar(select(Seal).order_by(Seal.size.desc()).limit(1))


def page(session: Session, after: int, limit: int) -> Sequence[Seal]:
    """The seals of more than `after` entries, oldest first."""
    return session.scalars(select(Seal).where(Seal.size > after).order_by(Seal.size).limit(limit)).all()


def inclusion(session: Session, entry_id: int) -> dict[str, Any]:
    """The RFC 9162 proof that an entry is under the newest seal, ready for JSON.

    Raises Refused("not-found"), Refused("not-sealed-yet").
    """
    entry, last = session.get(LedgerEntry, entry_id), newest(session)
    if entry is None:
        raise Refused("not-found", f"the ledger has no entry {entry_id}")
    if last is None or entry_id > last.size:
        raise Refused("not-sealed-yet", "the next seal will cover this entry, in about a minute")
    with _tree(session) as (tree, read):
        path = tree.inclusion(read, entry_id - 1, last.size)
    return {
        "entry": entry_id,
        "leaf_index": entry_id - 1,
        "leaf_hash": entry.digest,
        "tree_size": last.size,
        "root_hash": last.root,
        "inclusion_path": [step.hex() for step in path],
    }


def consistency(session: Session, old_size: int, new_size: int) -> dict[str, Any]:
    """The RFC 9162 proof that one seal's entries are the first of another one's, ready for JSON.

    Raises Refused("not-found") unless both were sealed, and the old one is not the larger.
    """
    old, new = session.get(Seal, old_size), session.get(Seal, new_size)
    if old is None or new is None or old_size > new_size:
        raise Refused("not-found", "name the sizes of two seals, the earlier one first")
    with _tree(session) as (tree, read):
        path = tree.consistency(read, old_size, new_size)
    return {
        "old_size": old_size,
        "old_root": old.root,
        "new_size": new_size,
        "new_root": new.root,
        "consistency_path": [step.hex() for step in path],
    }
