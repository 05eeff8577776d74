"""Many requests of one address behind a proxy."""

import asyncio
from typing import Any

from api.concurrency_limit import ConcurrencyLimit
from api.cookies import PEER

PROXY = ("127.0.0.1", 4711)


def test_address_at_its_limit_waits_alone() -> None:
    async def story() -> None:
        go_on, begun = asyncio.Event(), []

        async def app(scope: Any, _receive: Any, send: Any) -> None:
            begun.append(scope["client"][0])
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200})

        crowd = ConcurrencyLimit(app, most=2)

        async def asked(client: tuple[str, int]) -> int:
            said: list[Any] = []

            async def send(message: Any) -> None:
                said.append(message)

            await crowd({"type": "http", "client": client, PEER: PROXY}, None, send)  # type: ignore
            return int(said[0]["status"])

        one, other = ("2001:db8::1", 0), ("198.51.100.7", 0)
        same_network = ("2001:db8::2", 0)
        held = [asyncio.create_task(asked(each)) for each in (one, same_network, other, PROXY, PROXY, PROXY)]
        await asyncio.sleep(0)
        assert len(begun) == 6  # who comes straight is counted elsewhere
        assert await asked(one) == 503
        another = asyncio.create_task(asked(other))
        await asyncio.sleep(0)
        assert len(begun) == 7 and await asked(other) == 503

        go_on.set()
        assert await asyncio.gather(*held, another) == [200] * 7
        assert await asked(one) == 200 and not crowd._of

    asyncio.run(story())
