"""The nodes: machines with an Asterisk that share this database."""

from datetime import datetime

from sqlalchemy import BigInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Node(Base):
    """An Asterisk with its ivr and its dialer, which acts while its lease lasts (hotline.nodes)."""

    __tablename__ = "nodes"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)  # HOTLINE_NODE
    sip: Mapped[str] = mapped_column(String(100))  # the address where desks' SIP phones sign in
    host: Mapped[str] = mapped_column(String(100))  # the host in SIP addresses of browser phones
    websocket_url: Mapped[str] = mapped_column(String(300))  # the address where browser phones sign in
    capacity: Mapped[int]  # calls at one time
    # the machine with this name (hotline.nodes.node_identity)
    machine: Mapped[str | None] = mapped_column(String(32))
    epoch: Mapped[int] = mapped_column(BigInteger)  # grows by one each time its work changes hands
    lease_until: Mapped[datetime]
    lost_at: Mapped[datetime | None]  # when its work was taken over, until it is back
    fences: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether it ends its calls when its lease is over: it has known another node."""
    draining_at: Mapped[datetime | None]  # since when it gets no new round
    trunk_answers: Mapped[bool | None]  # whether any trunk answers its Asterisk; None: none ever did
    trunk_told_at: Mapped[datetime | None]  # when that last changed
    has_desk_passwords: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Its Asterisk knows desks by their own passwords; one that an upgrade left running does not."""
    ivr_at: Mapped[datetime | None]
    """When its ivr last reported that it works. Before the first report: when its dialer first expected one.
    None: the ivr reports nothing for its node, as on SQLite.
    """
    started_at: Mapped[datetime]
