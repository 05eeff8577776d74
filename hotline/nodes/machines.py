"""Whose name a node's is: two machines that were given the same one are told apart.

A machine is known by a file in its state folder, and by where its Asterisk listens: a copy of a machine has
the same file.
"""

import contextlib
import os
import uuid
from typing import TYPE_CHECKING

from settings import Settings

if TYPE_CHECKING:  # a start that knows no tables asks only which machine it is on
    from db.models import Node


def this(settings: Settings) -> str:
    """The machine that this process is on; made with its first start."""
    path = settings.state_dir / "machine"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"machine-{uuid.uuid4().hex}")
    new.write_text(uuid.uuid4().hex)
    with contextlib.suppress(FileExistsError):
        os.link(new, path)  # whole, and by one process only
    new.unlink()
    return path.read_text().strip()


def is_others(node: "Node", settings: Settings) -> bool:
    """Whether another machine had the name last."""
    return node.machine is not None and (node.machine, node.sip) != (this(settings), str(settings.sip))


def word(settings: Settings, sip: str) -> str:
    """What people are told. `sip`: where the other one's Asterisk listens."""
    return (
        f"another machine is node {settings.node} already, at work at {sip}: "
        "give this one a name of its own, HOTLINE_NODE (docs/operate/nodes.md)"
    )
