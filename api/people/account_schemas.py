"""What goes over the wire about signing in and one's own account."""

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
    """What the sign-in page asks for now, and whether the city's own sign-in may be used instead."""

    step: Step
    city: bool


class FirstVisit(BaseModel):
    """The code from the log of an empty installation, and who its first administrator is."""

    code: Text = Field(max_length=60)
    username: Name = Field(min_length=1, max_length=64)
    name: Name = Field(min_length=1, max_length=100)
    new: Text = Field(max_length=200)


class Code(BaseModel):
    """An authenticator's code, or a recovery code."""

    code: Text = Field(max_length=40)


class NewPassword(BaseModel):
    """In place of the one that somebody else has set; at least 8 characters that are not easily guessed."""

    new: Text = Field(max_length=200)


class Password(BaseModel):
    """The password that is asked once more; empty while a second factor is set up in signing in."""

    password: Text = Field(max_length=200)


class PasswordChange(Password):
    """The present password and a new one, of at least 8 characters that are not easily guessed."""

    new: Text = Field(max_length=200)


class PinChange(Password):
    """The PIN, of 4 to 8 digits, with which a telephone that is called gets in."""

    pin: Text = Field(max_length=40)


class Offer(BaseModel):
    """A second factor to set up: for an authenticator to scan, or to be keyed in."""

    qr: str
    secret: str


class RecoveryCodes(BaseModel):
    """Each stands in for the second factor once; they are shown this once."""

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
    """What a person may change of the own account."""

    has_pin: bool
    from_directory: bool
    second_factor: bool
    second_factor_asked: bool
    recovery_codes_left: int
    sessions: list[MySession]
