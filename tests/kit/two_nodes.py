"""Two whole nodes that share one PostgreSQL; the second reaches it by a line that can be cut."""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psutil
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer import leader
from hotline.nodes import administration as known
from hotline.nodes import round_affinity
from tests.kit.crowd import Call
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres, stands_still
from tests.kit.process import folder_in_memory, until
from tests.kit.proxy import Proxy
from tests.kit.system import System


class Line(Proxy):
    """Between a node and the database."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._there = self._target

    def down(self) -> None:
        """Cut all connections and refuse new ones."""
        self._target = ("127.0.0.1", free_port())
        self.cut()

    def up(self) -> None:
        """It is whole again."""
        self._target = self._there


class Nodes(NamedTuple):
    """`two` has more room, so that a round lives there first."""

    one: System
    two: System
    line: Line
    """The line of `two` to the database."""


@contextmanager
def two_nodes(
    server: Postgres, trunk: Mapping[str, object] | None = None, **environment: str
) -> Iterator[Nodes]:
    """Both run, with one city, one trunk, and one secret; `environment` holds settings of both."""
    database = server.create_database("nodes")
    with Line(f"127.0.0.1:{server.port}") as line:
        by_line = make_url(database).set(port=line.port).render_as_string(hide_password=False)
        with both_on(database, by_line, trunk, **environment) as (one, two):
            yield Nodes(one, two, line)


@contextmanager
def both_on(
    database: str, by_line: str, trunk: Mapping[str, object] | None = None, **environment: str
) -> Iterator[tuple[System, System]]:
    """The same, of a database that is there; `by_line`: how the second reaches it."""
    first = {"HOTLINE_MAX_CALLS": "20", **environment}
    with System(HOTLINE_NODE="one", HOTLINE_DATABASE_URL=database, trunk=trunk, **first) as one:
        folder = folder_in_memory("hotline-")
        shutil.copy(one.settings.state_dir / "secret", folder / "secret")
        with System(
            folder=folder,
            HOTLINE_NODE="two",
            HOTLINE_DATABASE_URL=by_line,
            trunk={**(trunk or {}), "host": f"127.0.0.1:{one.trunk_port}"},
            **environment,
        ) as two:
            yield one, two


def _node(name: str, database: str, **environment: str) -> System:
    return System(HOTLINE_NODE=name, HOTLINE_DATABASE_URL=database, **environment)


def kill(node: System) -> None:
    """The whole machine is gone at once: nothing of it starts again."""
    program = psutil.Process(node._program.pid)
    for process in [program, *program.children(recursive=True)]:
        with suppress(ProcessLookupError):  # it has gone with its parent
            os.kill(process.pid, signal.SIGKILL)


def drained(nodes: Nodes, name: str, *, drained: bool = True) -> None:
    """Give this node's calls to the other one, or no longer."""
    with writing(nodes.one.engine) as session:
        known.drain(session, name, who="the-test", drained=drained)


def home(nodes: Nodes, round_id: int) -> str | None:
    """The node on which a round lives, if it has one."""
    with reading(nodes.one.engine) as session:
        return round_affinity.find_node_of_round(session, round_id)


def states(nodes: Nodes) -> dict[str, str]:
    """How each is, by its name."""
    return states_seen_by(nodes.one)


def states_seen_by(node: System) -> dict[str, str]:
    """The same, of all nodes that this one shares the database with."""
    with reading(node.engine) as session:
        return {each.name: each.state for each in known.list_all(session)}


def overlap(calls: list[Call]) -> bool:
    """Whether a phone had two calls at one moment."""
    ends = [call.ended_at or time.time() for call in calls]
    return any(after.invited_at < end for end, after in zip(ends, calls[1:], strict=False))


def leads(node: System) -> bool:
    """Whether this one calls for what no node has as its own."""
    with reading(node.engine) as session:
        return leader.is_led_by(session, node.settings.node)


def let_lead(node: System, other: System) -> None:
    """The other's dialer stands still for a moment, without the lead."""
    with stands_still(other.pid("dialer")):
        with other.engine.begin() as connection:
            leader.depose(Session(connection), other.settings.node)
        until(lambda: leads(node), f"node {node.settings.node} leads")
