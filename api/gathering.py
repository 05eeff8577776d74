"""A body in fewer pieces: on a slow line it comes in hundreds, and each costs a thread its way to disk."""

import time
from collections.abc import AsyncIterator

_MOST = 1 << 16
_WITHIN_S = 0.5
"""What is held for so long at most is lost if this process is killed, and not told to who asks how far it is
before the old connection is known to be dead: half a second of their line, which they send once more."""


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes. What came before the pieces broke off is handed on first."""
    held, since = bytearray(), 0.0
    broken: Exception | None = None
    try:
        async for piece in pieces:
            since = since if held else time.monotonic()
            held += piece
            if len(held) >= _MOST or time.monotonic() - since >= _WITHIN_S:
                yield bytes(held)
                held.clear()
    except Exception as error:
        broken = error
    if held:
        yield bytes(held)
    if broken:
        raise broken
