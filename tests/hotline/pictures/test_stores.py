"""The folder and the S3 store keep the same promises; whatever the store does, it is over in seconds."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.pictures import stores
from hotline.pictures.stores import Bucket, Folder, Store, StoreAway
from tests.kit import s3_server
from tests.kit.ports import free_port
from tests.kit.proxy import Proxy
from tests.kit.s3_server import S3Server

NAME, OTHER = "0" * 32, "f" * 32
PICTURE = bytes(range(256)) * 800


def bucket(address: str, **more: str) -> Bucket:
    of = {
        "endpoint": f"http://{address}",
        "region": s3_server.REGION,
        "key": s3_server.KEY,
        "secret": s3_server.SECRET,
    }
    return Bucket(f"s3://{s3_server.BUCKET}/pictures/137", **(of | more))


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture(params=["folder", "s3", *["other"] * ("TEST_S3" in os.environ)])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> Store:
    """Each kind; `other` is a server of S3 at TEST_S3 (host:port), where somebody has one."""
    if request.param == "folder":
        return Folder(tmp_path / "pictures")
    return bucket(os.environ["TEST_S3"] if request.param == "other" else s3.address)


def test_store_writes_reads_and_deletes(store: Store) -> None:
    assert store.get(NAME) is None
    store.delete(NAME)
    store.put(NAME, PICTURE)
    store.put(OTHER, b"x")
    assert (store.get(NAME), store.get(OTHER)) == (PICTURE, b"x")
    store.put(NAME, b"anew")
    assert store.get(NAME) == b"anew"
    for _ in range(2):
        store.delete(NAME)
    assert (store.get(NAME), store.get(OTHER)) == (None, b"x")
    store.delete(OTHER)


def test_oversized_object_is_not_read_as_a_picture(store: Store, s3: S3Server, tmp_path: Path) -> None:
    store.put(NAME, b"x")
    huge = bytes(stores.LARGEST + 2)
    if isinstance(store, Folder):
        path = tmp_path / "pictures" / f"{NAME}.jpg"
        path.chmod(0o600)
        path.write_bytes(huge)
    else:
        s3.objects = dict.fromkeys(s3.objects, huge)
    assert len(store.get(NAME) or b"") < len(huge)


@pytest.mark.parametrize(
    "more",
    [{"key": "another"}, {"secret": "another"}, {"region": "eu-west-1"}],
    ids=lambda more: next(iter(more)),
)
def test_wrong_key_makes_the_store_away_and_logs_no_secret(s3: S3Server, more: dict[str, str]) -> None:
    wrong = bucket(s3.address, **more)
    for ask in (lambda: wrong.put(NAME, b"x"), lambda: wrong.get(NAME), lambda: wrong.delete(NAME)):
        with pytest.raises(StoreAway) as said:
            ask()
        assert "403 SignatureDoesNotMatch" in str(said.value)
        assert said.value.__cause__ is None and said.value.__suppress_context__
        assert not any(each in repr(said.value) for each in (s3_server.KEY, s3_server.SECRET))


def test_refusing_store_is_away_until_it_recovers(s3: S3Server) -> None:
    here = bucket(s3.address)
    here.put(NAME, PICTURE)
    for refuses in ((507, "QuotaExceeded"), (503, "SlowDown"), (500, "InternalError"), (404, "NoSuchBucket")):
        s3.refuses = refuses
        for ask in (lambda: here.put(OTHER, b"x"), lambda: here.get(NAME), lambda: here.delete(NAME)):
            with pytest.raises(StoreAway, match=" ".join(map(str, refuses))):
                ask()
    s3.refuses = None
    assert here.get(NAME) == PICTURE
    s3.keeps = True
    with pytest.raises(StoreAway):
        here.delete(NAME)
    assert here.get(NAME) == PICTURE


def test_store_returning_other_bytes_is_reported(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lies(dict[str, bytes]):
        def __setitem__(self, name: str, data: bytes) -> None:
            super().__setitem__(name, data[:-1] + b"?")

    s3.objects = Lies()
    with pytest.raises(StoreAway, match="what was written is not what is read"):
        bucket(s3.address).put(NAME, PICTURE)


def test_cut_connection_is_retried_and_then_away(
    s3: S3Server,
) -> None:
    with pytest.raises(StoreAway):
        bucket(f"127.0.0.1:{free_port()}").get(NAME)
    with Proxy(s3.address) as line:
        here = bucket(f"127.0.0.1:{line.port}")
        here.put(NAME, PICTURE)
        cut = line.trap(b"GET ", line.cut, before=True)
        assert here.get(NAME) == PICTURE and cut.is_set()
        cut = line.trap(b"PUT ", line.cut)
        here.put(OTHER, PICTURE)
        assert here.get(OTHER) == PICTURE and cut.is_set()


@pytest.mark.parametrize("how", ["says nothing", "drips"])
def test_hanging_store_times_out_without_a_queue(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(stores, "_ANSWER_S", 0.5)
    monkeypatch.setattr(stores, "_AT_ONCE", 2)
    over = threading.Event()

    def drip(line: socket.socket) -> None:
        with line:
            line.recv(1 << 16)
            if how == "drips":
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nETag: x\r\n")
                line.sendall(b"Last-Modified: Sun, 29 Nov 2026 00:00:00 GMT\r\n\r\n")
            while not over.wait(0.05):
                try:
                    line.sendall(b"x" if how == "drips" else b"")
                except OSError:
                    return

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        here = bucket(f"127.0.0.1:{listening.getsockname()[1]}")
        said: list[str] = []

        def ask() -> None:
            with pytest.raises(StoreAway) as refused:
                here.get(NAME)
            said.append(str(refused.value))

        began = time.monotonic()
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 3
        assert said.count("get: too many wait for it") == 4 and said.count("get: no answer in time") == 2
        over.set()
