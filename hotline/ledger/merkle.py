"""The Merkle tree of RFC 9162, section 2.1, with SHA-256: roots, and the two proofs.

The leaves lie elsewhere, counted from 0, and are read when needed. A node of 2^n leaves never changes once
they are there, so those of many leaves are remembered: a growing tree costs only what is new.
"""

import hashlib
from collections.abc import Callable, Sequence

from cachetools import LRUCache

Hashes = Sequence[bytes]
Read = Callable[[int, int], Hashes]
"""The hashes of the leaves from the first to before the second."""

READ_AT_ONCE = 1024
"""Leaves, a power of two: a node over fewer is computed anew each time."""
_REMEMBERED = 1 << 16


def leaf(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two nodes' parent."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The root of a tree that grows leaf by leaf, in memory of its height."""

    def __init__(self) -> None:
        self.size = 0
        self._perfect: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        """One more leaf, by its hash."""
        size = self.size
        while size & 1:
            hashed, size = node(self._perfect.pop(), hashed), size >> 1
        self._perfect.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """The root; that of no leaves is the hash of nothing."""
        if not self._perfect:
            return hashlib.sha256().digest()
        *others, found = self._perfect
        for left in reversed(others):
            found = node(left, found)
        return found


class Tree:
    """A tree over leaves that only grow in number, read by what is given. Not for two threads at once.

    A database that lost its last leaves, and got others in their place, is noticed by `check`.
    """

    def __init__(self) -> None:
        self._known: LRUCache[tuple[int, int], bytes] = LRUCache(_REMEMBERED)
        self._last_read: tuple[int, bytes] | None = None
        """The last leaf that is under a remembered node, and its hash."""

    def check(self, read: Read) -> None:
        """Forget all nodes if the last leaf under them is another one by now. Call it before each use."""
        if self._last_read and list(read(self._last_read[0], self._last_read[0] + 1)) != [self._last_read[1]]:
            self._known.clear()
            self._last_read = None

    def root(self, read: Read, size: int) -> bytes:
        """The root over the first `size` leaves, at least one."""
        return self._over(read, 0, size)

    def inclusion(self, read: Read, index: int, size: int) -> list[bytes]:
        """The proof that a leaf is under the root over `size` leaves (2.1.3.1)."""
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
        """The proof that the first `old` leaves, at least one, begin the first `size` (2.1.4.1)."""
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
        """The node over these leaves: of a whole subtree, or at the right edge of the tree."""
        width = end - start
        if width < READ_AT_ONCE:
            return _folded(read(start, end))
        perfect = width & (width - 1) == 0  # else it is at the edge, and changes
        if perfect and (start, width) in self._known:
            return self._known[start, width]
        if width == READ_AT_ONCE:
            hashes = read(start, end)
            found = _folded(hashes)
            if self._last_read is None or end > self._last_read[0]:
                self._last_read = end - 1, hashes[-1]
        else:
            middle = start + _left(width)
            found = node(self._over(read, start, middle), self._over(read, middle, end))
        if perfect:
            self._known[start, width] = found
        return found


def _left(width: int) -> int:
    """How many of so many leaves are in the left half: the largest power of two below."""
    return 1 << (width - 1).bit_length() - 1


def _folded(hashes: Hashes) -> bytes:
    frontier = Frontier()
    for each in hashes:
        frontier.add(each)
    return frontier.root()
