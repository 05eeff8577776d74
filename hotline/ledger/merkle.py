"""The Merkle tree of RFC 9162, section 2.1, with SHA-256: roots and both proofs.

The leaves are stored elsewhere, numbered from 0, and read when needed. A complete node of 2^n leaves never
changes, so large ones are cached. A growing tree costs only its new leaves.
"""

import hashlib
from collections.abc import Callable, Sequence

from cachetools import LRUCache

Hashes = Sequence[bytes]
Read = Callable[[int, int], Hashes]
"""Reads the hashes of the leaves from the first index to before the second."""

READ_AT_ONCE = 1024
"""Number of leaves, a power of two; smaller nodes are computed again each time."""
_REMEMBERED = 1 << 16


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of the parent of two nodes."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The root of a tree that grows by one leaf at a time; memory grows with the height only."""

    def __init__(self) -> None:
        self.size = 0
        self._perfect: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        """Add a leaf by its hash."""
        size = self.size
        while size & 1:
            hashed, size = hash_node(self._perfect.pop(), hashed), size >> 1
        self._perfect.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """Return the root; without leaves it is the hash of an empty text."""
        if not self._perfect:
            return hashlib.sha256().digest()
        *others, found = self._perfect
        for left in reversed(others):
            found = hash_node(left, found)
        return found


class Tree:
    """A cached tree over a growing list of leaves, which `read` reads. It is not safe for two threads.

    `check` notices a database that has lost its last leaves and got others in their place.
    """

    def __init__(self) -> None:
        self._known: LRUCache[tuple[int, int], bytes] = LRUCache(_REMEMBERED)
        self._last_read: tuple[int, bytes] | None = None
        """Index and hash of the last leaf under a cached node."""

    def check(self, read: Read) -> None:
        """Clear the cache if the last leaf under a cached node has changed. Call it before each use."""
        if self._last_read and list(read(self._last_read[0], self._last_read[0] + 1)) != [self._last_read[1]]:
            self._known.clear()
            self._last_read = None

    def root(self, read: Read, size: int) -> bytes:
        """Return the root over the first `size` leaves, at least one."""
        return self._over(read, 0, size)

    def inclusion(self, read: Read, index: int, size: int) -> list[bytes]:
        """Return the proof that a leaf is under the root over `size` leaves (2.1.3.1)."""
        start, end, ranges = 0, size, []
        while end - start > 1:
            middle = start + _left(end - start)
            if index < middle:
                ranges.append((middle, end))
                end = middle
            else:
                ranges.append((start, middle))
                start = middle
        return [self._over(read, *each) for each in reversed(ranges)]

    def consistency(self, read: Read, old: int, size: int) -> list[bytes]:
        """Return the proof that the first `old` leaves, at least one, begin the first `size` (2.1.4.1)."""
        start, end, ranges = 0, size, []
        while old < end:
            middle = start + _left(end - start)
            if old <= middle:
                ranges.append((middle, end))
                end = middle
            else:
                ranges.append((start, middle))
                start = middle
        if start:
            ranges.append((start, end))
        return [self._over(read, *each) for each in reversed(ranges)]

    def _over(self, read: Read, start: int, end: int) -> bytes:
        """Return the node over these leaves: a complete subtree, or the right edge of the tree."""
        width = end - start
        if width < READ_AT_ONCE:
            return _folded(read(start, end))
        perfect = width & (width - 1) == 0  # otherwise it is at the right edge, and still changes
        if perfect and (start, width) in self._known:
            return self._known[start, width]
        if width == READ_AT_ONCE:
            hashes = read(start, end)
            found = _folded(hashes)
            if self._last_read is None or end > self._last_read[0]:
                self._last_read = end - 1, hashes[-1]
        else:
            middle = start + _left(width)
            found = hash_node(self._over(read, start, middle), self._over(read, middle, end))
        if perfect:
            self._known[start, width] = found
        return found


def _left(width: int) -> int:
    """Return how many of `width` leaves are in the left half: the largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def _folded(hashes: Hashes) -> bytes:
    frontier = Frontier()
    for each in hashes:
        frontier.add(each)
    return frontier.root()
