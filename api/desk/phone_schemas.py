"""JSON of phones: a desk's, and the citizens' phones in a browser."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import Text


class IceServer(BaseModel):
    """A TURN server, as a browser's RTCPeerConnection takes it."""

    urls: list[str]
    username: str
    credential: str


class DeskPhone(BaseModel):
    """The account of a desk's browser phone at Asterisk."""

    websocket_url: str
    sip_uri: str
    username: str
    password: str
    extension: str
    ice_servers: list[IceServer]


class MyPhone(BaseModel):
    """My desk's phone. A phone with a `number` (national form) is called when I ask, and asks for my PIN."""

    use: Literal["browser", "sip", "number"]
    number: str | None
    called: bool
    has_pin: bool


class PhoneChoice(BaseModel):
    """The choice of my desk's phone; a number belongs to `number` alone."""

    use: Literal["browser", "sip", "number"]
    number: Text | None = Field(None, max_length=40)


class SipAccount(BaseModel):
    """The account of the desk's SIP phone, and the extension that it dials to enter the desk's conference
    room.
    """

    username: str
    password: str
    server: str
    extension: str


class BrowserLine(BaseModel):
    """One of the citizens' phones of /phone."""

    number: str
    sip_uri: str
    username: str
    password: str


class BrowserPhone(BaseModel):
    """The citizens' phones that a browser can use."""

    websocket_url: str
    lines: list[BrowserLine]
