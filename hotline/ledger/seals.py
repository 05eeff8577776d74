"""Seals: regularly published roots of the RFC 9162 Merkle tree over the ledger's entries.

A person who has noted a root can later prove that no entry before it was changed. Any entry's place can be
proved as well. The hashing is defined in docs/ledger.md. Between calls only a cache of inner nodes is kept.
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
    """The tree over the ledger of one database, and the lock of its users."""

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
    """Read the ledger's new entries, which may take seconds the first time, before `seal` takes the lock."""
    if size := _size(session):
        with _tree(session) as (tree, read):
            tree.root(read, size)


def seal(session: Session) -> Seal | None:
    """Seal all entries; return None if there are no new ones. Call `warm` before, in another transaction."""
    events.hold_order(session)
    last = find_newest(session)
    size = _size(session)
    if size == (last.size if last else 0):
        return None
    with _tree(session) as (tree, read):
        root = tree.root(read, size).hex()
    # a clock that was set back must not make earlier entries look forged
    sealed_at = max(now(session), session.get_one(LedgerEntry, size).at)
    made = Seal(size=size, root=root, sealed_at=sealed_at)
    session.add(made)
    session.flush()
    return made


def find_newest(session: Session) -> Seal | None:
    """Return the newest seal."""
    return session.scalar(select(Seal).order_by(Seal.size.desc()).limit(1))


def list_page(session: Session, after: int, limit: int) -> Sequence[Seal]:
    """Return at most `limit` seals of more than `after` entries, oldest first."""
    return session.scalars(select(Seal).where(Seal.size > after).order_by(Seal.size).limit(limit)).all()


def prove_inclusion(session: Session, entry_id: int) -> dict[str, Any]:
    """Return the RFC 9162 proof that an entry is under the newest seal, for JSON.

    Raises Refused("not-found" | "not-sealed-yet").
    """
    entry, last = session.get(LedgerEntry, entry_id), find_newest(session)
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


def prove_consistency(session: Session, old_size: int, new_size: int) -> dict[str, Any]:
    """Return the RFC 9162 proof that one seal's entries are the first entries of another, for JSON.

    Raises Refused("not-found") unless both sizes were sealed and the old one is not larger.
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
