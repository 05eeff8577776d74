"""Fifty reports a second with a picture each: until each citizen is told that the report is safe.

The API is a process of its own, as `make run` starts it, on SQLite. Citizens come whether it keeps up or not.
Like the app, they repeat what was refused for now. Each number reports five times, so no rule is switched
off. The anchors are the same reports without pictures, and the re-encoding of such pictures with nothing else
to do. The senders share the cores with the API.
"""

import asyncio
import io
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
from PIL import Image, ImageFilter
from sqlalchemy import Engine, func, select

from api.my import signed_in
from db.engine import connect, reading, writing
from db.migrate import upgrade
from db.models import CodeWay, Picture, Request
from hotline.citizens import browsers, codes, sessions
from hotline.pictures import decoding
from settings import Settings, load
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.ports import free_port
from tests.kit.process import Program, until

RATE, SECONDS = sized((50, 20), (5, 1))
EACH = 5
"""Reports of one number."""
PATIENCE_S = 120.0
_PROJECT = Path(__file__).parent.parent
_POINT = {"latitude": 32.655, "longitude": 51.675}


def photograph() -> bytes:
    """A picture of about 200 kB, as large as the app sends."""
    chance = random.Random(137)
    coarse = Image.frombytes("RGB", (400, 300), chance.randbytes(400 * 300 * 3))
    image = coarse.resize((1600, 1200), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(5))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def citizens(engine: Engine, settings: Settings, first: int, count: int) -> list[str]:
    """The sessions of the signed-in citizens."""
    found = []
    for number in range(first, first + count):
        with writing(engine) as session:
            code = codes.ask(
                session,
                f"+98912{number:07}",
                CodeWay.SMS,
                "fa",
                settings,
                browser=browsers.keep_or_make_secret(""),
            )
            found.append(sessions.begin_session(session, code, "", settings).access)
    return found


class Done(NamedTuple):
    """The results: seconds until each report was safe, repetitions, and the total time."""

    took: list[float]
    again: int
    seconds: float
    cpu_ms: float = 0.0
    """Seconds of the API's CPU for each report."""

    def row(self, name: str) -> str:
        """Measure one line of the table."""
        ms = [each * 1e3 for each in self.took]
        p95 = statistics.quantiles(ms, n=20)[-1] if len(ms) > 1 else 0.0
        rate = len(ms) / self.seconds
        row = f"{name:<28}{rate:>11.1f}{statistics.median(ms):>10.0f}{p95:>10.0f}{self.again:>10}"
        return f"{row}{self.cpu_ms:>10.1f}"


class Crowd:
    """Send the citizens' reports, each at its moment."""

    def __init__(self, url: str, who: list[str], picture: bytes | None) -> None:
        self._url, self._who, self._picture = url, who, picture
        self._again = 0

    async def report(self) -> Done:
        """Return the whole time."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        began = time.monotonic()
        async with httpx.AsyncClient(base_url=self._url, limits=limits, timeout=PATIENCE_S) as client:
            took = await asyncio.gather(*(self._one(client, n, began) for n in range(RATE * SECONDS)))
        return Done(list(took), self._again, time.monotonic() - began)

    async def _one(self, client: httpx.AsyncClient, number: int, began: float) -> float:
        at = began + number / RATE
        await asyncio.sleep(at - time.monotonic())
        cookie = {"Cookie": f"{signed_in.ACCESS}={self._who[number % len(self._who)]}"}
        names = []
        if self._picture:
            kept = await self._until_taken(client, "pictures", content=self._picture, headers=cookie)
            names = [kept.json()["id"]]
        body = {"category": 1, "text": "چراغ کوچه خاموش است", "pictures": names, **_POINT}
        headers = cookie | {"Idempotency-Key": f"{os.getpid()}-{bool(names)}-{number:06}"}
        await self._until_taken(client, "requests", json=body, headers=headers)
        return time.monotonic() - at

    async def _until_taken(self, client: httpx.AsyncClient, what: str, **sent: object) -> httpx.Response:
        while True:
            later_s = 1.0
            with suppress(httpx.TransportError):  # of a waiting connection that was closed meanwhile
                answer = await client.post(f"/api/v1/my/{what}", **sent)  # type: ignore[arg-type]
                if answer.is_success:
                    return answer
                if answer.status_code not in (429, 503):
                    raise AssertionError(f"{what}: {answer.status_code} {answer.text}")
                # uvicorn's own refusal has no Retry-After
                later_s = float(answer.headers.get("retry-after", 1))
            self._again += 1
            await asyncio.sleep(later_s)


def alone(picture: bytes) -> float:
    """Return the pictures a second that all cores re-encode with nothing else to do."""
    count = sized(100, 4)
    with ThreadPoolExecutor(2) as cores:
        began = time.monotonic()
        list(cores.map(lambda _: decoding.redraw(io.BytesIO(picture)), range(count)))
        return count / (time.monotonic() - began)


def measure(folder: Path) -> bool:
    """Print the table; return whether the goal is reached."""
    port = free_port()
    settings = load(state_dir=folder, http=f"127.0.0.1:{port}", sms_provider="console", _env_file=None)
    engine = connect(settings.database)
    upgrade(engine)
    env = {"HOTLINE_STATE_DIR": str(folder), "HOTLINE_HTTP": f"127.0.0.1:{port}"}
    env["PYTHONPATH"] = str(_PROJECT)
    picture, each = photograph(), RATE * SECONDS // EACH
    print(
        f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}, a JPEG of {len(picture) // 1000} kB"
    )
    print(f"pictures made anew, alone: {alone(picture):.1f} a second")
    head = f"{'reports/s':>13}{'median':>10}{'p95 ms':>10}{'again':>10}{'CPU ms':>10}"
    print(f"{RATE}/s for {SECONDS} s{'':<12}{head}", flush=True)
    with Program(
        [sys.executable, "-u", "-m", "ops.process", "api"], folder=_PROJECT, log=folder / "log", env=env
    ) as api:
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), "the API answers", timeout=60)
        plain = _played(Crowd(url, citizens(engine, settings, 0, each), None), api.pid)
        print(plain.row("without a picture (anchor)"), flush=True)
        shown = _played(Crowd(url, citizens(engine, settings, each, each), picture), api.pid)
        print(shown.row("with a picture"), flush=True)
    with reading(engine) as session:
        there = session.scalar(select(func.count()).select_from(Request)) or 0
        given = session.scalar(select(func.count()).where(Picture.request_id.is_not(None))) or 0
    engine.dispose()
    files = [each.stat().st_size for each in settings.pictures_dir.glob("*.jpg")]
    told = len(plain.took) + len(shown.took)
    lost = told - there + len(shown.took) - min(given, len(files))
    print(f"lost: {lost} of {told}; pictures on disk: {sum(files) / 1e6:.0f} MB, {len(files)} files")
    must_hold(lost == 0, "each that was told to be safe is there, with its picture")
    return lost == 0 and len(shown.took) / shown.seconds >= 0.95 * RATE


def _played(crowd: Crowd, api: int) -> Done:
    cpu = psutil.Process(api).cpu_times
    before = cpu()
    done, after = asyncio.run(crowd.report()), cpu()
    spent_s = after.user + after.system - before.user - before.system
    return done._replace(cpu_ms=spent_s * 1e3 / len(done.took))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code in (200, 503)
    except httpx.TransportError:
        return False


def main() -> int:
    """Return 1 if fewer reports are accepted than come."""
    with tempfile.TemporaryDirectory() as folder:
        good = measure(Path(folder))
    print(f"goal: {RATE} reports a second with a picture each: {'reached' if good else 'NOT reached'}")
    return 0 if good else 1


if __name__ == "__main__":
    brief.play(main)
