"""What goes over the wire about phones: a desk's, and the citizens' in a browser."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import Text


class IceServer(BaseModel):
    """A server that relays the sound, as a browser's RTCPeerConnection takes it."""

    urls: list[str]
    username: str
    credential: str


class DeskPhone(BaseModel):
    """What the desk's phone in the browser signs in to Asterisk with."""

    websocket_url: str
    sip_uri: str
    username: str
    password: str
    extension: str
    ice_servers: list[IceServer]


class MyPhone(BaseModel):
    """What my desk's phone is. A number in national form is called when I ask, and asks for my PIN."""

    use: Literal["browser", "sip", "number"]
    number: str | None
    called: bool
    has_pin: bool


class PhoneChoice(BaseModel):
    """What my desk's phone is to be; a number belongs to `number` alone."""

    use: Literal["browser", "sip", "number"]
    number: Text | None = Field(None, max_length=40)


class SipAccount(BaseModel):
    """With what the desk's SIP phone signs in, and what it dials to come into its room."""

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
    """The citizens' phones that a browser can be."""

    websocket_url: str
    lines: list[BrowserLine]
