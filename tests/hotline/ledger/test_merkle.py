"""The tree against the vectors that Certificate Transparency's implementations share, and against the RFC."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.ledger import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
HASHED = [merkle.hash_leaf(entry) for entry in LEAVES]


def _read(start: int, end: int) -> list[bytes]:
    return HASHED[start:end]


def _hex(path: list[bytes]) -> list[str]:
    return [step.hex() for step in path]


@pytest.mark.parametrize("size", range(1, 9))
def test_root_matches_the_published_vectors(size: int) -> None:
    assert merkle.Tree().root(_read, size).hex() == ROOTS[size - 1]


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.Frontier().root() == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proof_matches_the_published_vectors(index: int, size: int) -> None:
    assert _hex(merkle.Tree().inclusion(_read, index, size)) == INCLUSION[index, size]


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_proof_matches_the_published_vectors(old: int, size: int) -> None:
    assert _hex(merkle.Tree().consistency(_read, old, size)) == CONSISTENCY[old, size]


def _plain(hashes: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word by word."""
    if len(hashes) == 1:
        return hashes[0]
    left = 1
    while left * 2 < len(hashes):
        left *= 2
    return merkle.hash_node(_plain(hashes[:left]), _plain(hashes[left:]))


@given(st.lists(st.integers(1, 6000), min_size=1, max_size=4))
def test_growing_tree_keeps_its_cache_right(
    sizes: list[int],
) -> None:
    hashes = [number.to_bytes(32) for number in range(6000)]
    asked: list[int] = []

    def read(start: int, end: int) -> list[bytes]:
        asked.append(end - start)
        return hashes[start:end]

    tree = merkle.Tree()
    for size in sorted(sizes):
        assert tree.root(read, size) == _plain(hashes[:size])
    asked.clear()
    tree.root(read, max(sizes))
    assert sum(asked) < merkle.READ_AT_ONCE  # whole thousands are not read a second time


@pytest.mark.parametrize("lost", [1, 500, 3000])
def test_leaves_lost_in_a_failover_are_forgotten(lost: int) -> None:
    hashes = [number.to_bytes(32) for number in range(4096)]
    tree = merkle.Tree()

    def root() -> bytes:
        tree.check(lambda start, end: hashes[start:end])
        return tree.root(lambda start, end: hashes[start:end], len(hashes))

    before = root()
    del hashes[-lost:]
    assert root() == _plain(hashes)
    hashes += [number.to_bytes(32) for number in range(9000, 9000 + lost)]
    assert before != root() == _plain(hashes)


def test_leaves_replaced_before_the_next_look_are_forgotten() -> None:
    hashes = [number.to_bytes(32) for number in range(4096)]
    tree = merkle.Tree()
    tree.root(lambda start, end: hashes[start:end], 4096)
    hashes[-5:] = [number.to_bytes(32) for number in range(9000, 9010)]
    tree.check(lambda start, end: hashes[start:end])
    assert tree.root(lambda start, end: hashes[start:end], 4101) == _plain(hashes)
