"""JSON of signing in, and of one's own account."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import Name, Text
from hotline.people import sign_in_steps

Step = Literal["password", "first-visit"] | sign_in_steps.Step


class SignIn(BaseModel):
    """A name and a password."""

    username: Text = Field(max_length=64)
    password: Text = Field(max_length=200)


class SignInStep(BaseModel):
    """The sign-in page's next step, and whether the city's own sign-in is available."""

    step: Step
    city: bool


class FirstVisit(BaseModel):
    """The code from an empty installation's log, and the first administrator's name and password."""

    code: Text = Field(max_length=60)
    username: Name = Field(min_length=1, max_length=64)
    name: Name = Field(min_length=1, max_length=100)
    new: Text = Field(max_length=200)


class Code(BaseModel):
    """An authenticator's code, or a recovery code."""

    code: Text = Field(max_length=40)


class NewPassword(BaseModel):
    """A new password instead of one that somebody else set: at least 8 characters, and hard to guess."""

    new: Text = Field(max_length=200)


class Password(BaseModel):
    """The present password again; empty while a second factor is set up during sign-in."""

    password: Text = Field(max_length=200)


class PasswordChange(Password):
    """The present password and a new one: at least 8 characters, and hard to guess."""

    new: Text = Field(max_length=200)


class PinChange(Password):
    """The PIN, of 4 to 8 digits, with which a called telephone enters the conference room."""

    pin: Text = Field(max_length=40)


class Offer(BaseModel):
    """A second factor to set up: a QR code for an authenticator, and the secret to type."""

    qr: str
    secret: str


class RecoveryCodes(BaseModel):
    """Recovery codes, shown this once; each replaces the second factor once."""

    codes: list[str]


class MySession(BaseModel):
    """One of my sessions; `agent` is the browser, as it calls itself."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    address: str
    agent: str
    current: bool


class Account(BaseModel):
    """A person's own account."""

    has_pin: bool
    from_directory: bool
    second_factor: bool
    second_factor_asked: bool
    recovery_codes_left: int
    sessions: list[MySession]
