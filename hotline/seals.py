"""Seals: the root of the RFC 9162 Merkle tree over the ledger's first entries, published again and again.

Whoever has noted a root can later prove that nothing before it was changed, and any entry's place under it.
The exact hashing is in docs/ledger.md. What is kept of the tree between calls is a cache of its inner nodes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from pymerkle import BaseMerkleTree
from sqlalchemy import Pool, func, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import LedgerEntry, Seal
from hotline.errors import Refused

_CACHE_BYTES = 64 << 20
_READ_AT_ONCE = 1024


class _Tree(BaseMerkleTree):  # type: ignore[misc]
    """The library's tree over the digests that the ledger keeps, its upper nodes cached."""

    def __init__(self) -> None:
        super().__init__(threshold=_READ_AT_ONCE, capacity=_CACHE_BYTES)
        self.session: Session

    def _get_subroot(self, offset: int, width: int) -> Any:
        if width <= _READ_AT_ONCE:
            return super()._get_subroot(offset, width)
        half = width // 2  # of cached halves, so that a growing tree costs only what is new
        if (offset, width) not in self.cache:
            halves = self._get_subroot(offset, half), self._get_subroot(offset + half, half)
            self.cache[offset, width] = self.hash_pair(*halves)
        return self.cache[offset, width]

    def _get_leaves(self, offset: int, width: int) -> Iterable[bytes]:
        query = select(LedgerEntry.digest).where(LedgerEntry.id.between(offset + 1, offset + width))
        return [bytes.fromhex(digest) for digest in self.session.scalars(query.order_by(LedgerEntry.id))]

    def _get_leaf(self, index: int) -> bytes:
        return next(iter(self._get_leaves(index - 1, 1)))

    def _get_size(self) -> int:
        return self.session.scalar(select(func.max(LedgerEntry.id))) or 0

    def _encode_entry(self, data: Any) -> bytes:
        raise TypeError("hotline.ledger alone appends; this tree only reads")

    def _store_leaf(self, data: Any, digest: bytes) -> int:
        raise TypeError("hotline.ledger alone appends; this tree only reads")

    def range_root(self, start: int, end: int) -> str:
        """The root, in hex, of the tree over the leaves from `start` to before `end`, counted from 0."""
        root: bytes = self._get_root(start, end)
        return root.hex()


_trees: WeakKeyDictionary[Pool, _Tree] = WeakKeyDictionary()


@contextmanager
def _tree(session: Session) -> Iterator[_Tree]:
    tree = _trees.setdefault(session.get_bind().engine.pool, _Tree())
    with tree.lock:
        tree.session = session
        yield tree


def warm(session: Session) -> None:
    """Read what is new of the ledger, which may take seconds the first time, before anybody is held up."""
    with _tree(session) as tree:
        tree.get_root()


def seal(session: Session) -> Seal | None:
    """Seal all entries so far; None if there is nothing new. Call `warm` before, in another transaction."""
    events.hold_order(session)
    last = newest(session)
    with _tree(session) as tree:
        size = tree.get_size()
        if size == (last.size if last else 0):
            return None
        made = Seal(size=size, root=tree.get_root(size).hex(), sealed_at=now(session))
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
    with _tree(session) as tree:
        proof = tree.prove_inclusion(entry_id, last.size)
    leaf, *path = (step.hex() for step in proof.path)
    return {
        "entry": entry_id,
        "leaf_index": entry_id - 1,
        "leaf_hash": leaf,
        "tree_size": last.size,
        "root_hash": last.root,
        "inclusion_path": path,
    }


def consistency(session: Session, old_size: int, new_size: int) -> dict[str, Any]:
    """The RFC 9162 proof that one seal's entries are the first of another one's, ready for JSON.

    Raises Refused("not-found") unless both were sealed, and the old one is not the larger.
    """
    old, new = session.get(Seal, old_size), session.get(Seal, new_size)
    if old is None or new is None or old_size > new_size:
        raise Refused("not-found", "name the sizes of two seals, the earlier one first")
    with _tree(session) as tree:
        path = [tree.range_root(*each) for each in _consistency_ranges(old_size, new_size)]
    return {
        "old_size": old_size,
        "old_root": old.root,
        "new_size": new_size,
        "new_root": new.root,
        "consistency_path": path,
    }


def _consistency_ranges(old: int, width: int) -> list[tuple[int, int]]:
    """RFC 9162, 2.1.4.1. The library's own proof differs from it where `old` is a power of two."""
    start, ranges = 0, []
    while old < width:
        left = 1 << (width - 1).bit_length() - 1
        if old <= left:
            ranges.append((start + left, start + width))
            width = left
        else:
            ranges.append((start, start + left))
            start, old, width = start + left, old - left, width - left
    if start:
        ranges.append((start, start + width))
    return ranges[::-1]
