"""The machines with an Asterisk that share this database."""

from datetime import datetime

from sqlalchemy import BigInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Node(Base):
    """An Asterisk with its ivr and its dialer, which acts while its lease lasts (hotline.nodes)."""

    __tablename__ = "nodes"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)  # HOTLINE_NODE
    sip: Mapped[str] = mapped_column(String(100))  # where SIP phones of desks sign in
    host: Mapped[str] = mapped_column(String(100))  # in the SIP address of phones in browsers
    websocket_url: Mapped[str] = mapped_column(String(300))  # where these sign in
    capacity: Mapped[int]  # so many calls it carries at one time
    machine: Mapped[str | None] = mapped_column(String(32))  # whose name it is (hotline.nodes.machines)
    epoch: Mapped[int] = mapped_column(BigInteger)  # one more each time that its work changes hands
    lease_until: Mapped[datetime]
    lost_at: Mapped[datetime | None]  # its work was taken over; until it is there again
    fences: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """It ends its calls when its lease is over: it has known of another node."""
    draining_at: Mapped[datetime | None]  # gets no new round
    trunk_answers: Mapped[bool | None]  # any that its Asterisk asks; None: it has never heard of one
    trunk_told_at: Mapped[datetime | None]  # when it last said otherwise
    has_desk_passwords: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Its Asterisk knows desks by their own passwords; one that an upgrade left running does not."""
    ivr_at: Mapped[datetime | None]  # when its ivr last said that it works; None: it never has
    started_at: Mapped[datetime]
