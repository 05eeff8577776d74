"""Identity of machines: tells apart two machines that were given the same node name.

A file in the state folder identifies a machine, together with the address of its Asterisk. A copied machine
has the same file.
"""

import contextlib
import os
import uuid
from typing import TYPE_CHECKING

from settings import Settings

if TYPE_CHECKING:  # the early start imports no tables, and only asks for the machine
    from db.models import Node


def get_identity(settings: Settings) -> str:
    """Return the id of this machine; the first start creates it."""
    path = settings.state_dir / "machine"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"machine-{uuid.uuid4().hex}")
    new.write_text(uuid.uuid4().hex)
    with contextlib.suppress(FileExistsError):
        os.link(new, path)  # the file appears complete, and only one process creates it
    new.unlink()
    return path.read_text().strip()


def is_others(node: "Node", settings: Settings) -> bool:
    """Return whether another machine used the node's name last."""
    return node.machine is not None and (node.machine, node.sip) != (
        get_identity(settings),
        str(settings.sip),
    )


def describe_conflict(settings: Settings, sip: str) -> str:
    """Return the message for people. `sip`: the address of the other machine's Asterisk."""
    return (
        f"another machine is node {settings.node} already, at work at {sip}: "
        "give this one a name of its own, HOTLINE_NODE (docs/operate/nodes.md)"
    )
