"""A body comes in fewer pieces, and nothing of it is lost or kept back."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from api import gathering
from api.gathering import gathered
from hotline.errors import Refused


async def coming(pieces: Sequence[bytes], broken: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if broken:
        raise broken


def handed_on(pieces: AsyncIterator[bytes]) -> tuple[list[bytes], Exception | None]:
    """What is handed on, and how it breaks off."""
    got: list[bytes] = []

    async def take() -> None:
        async for piece in gathered(pieces):
            got.append(piece)

    try:
        asyncio.run(take())
    except Refused as broken:
        return got, broken
    return got, None


def test_given_hundreds_of_pieces_when_they_come_then_few_are_handed_on_and_all_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "_WITHIN_S", 3600.0)
    sent = [bytes([n % 256]) * 1400 for n in range(200)]
    got, _ = handed_on(coming([*sent, b""]))
    assert b"".join(got) == b"".join(sent)
    assert len(got) == 5


def test_given_a_line_that_breaks_when_something_was_held_then_that_comes_first() -> None:
    broken = Refused("upload-idle", "nothing came any more")
    assert handed_on(coming([b"one", b"two"], broken)) == ([b"onetwo"], broken)
    assert handed_on(coming([], broken)) == ([], broken)


def test_given_a_slow_line_when_a_piece_comes_then_it_is_not_kept_back_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "_WITHIN_S", 0.0)
    assert handed_on(coming([b"one", b"two"])) == ([b"one", b"two"], None)
