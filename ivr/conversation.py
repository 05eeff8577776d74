"""What the scripts of one call share: the call, the caller, and a few questions asked in several places."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import writing
from db.states import Phase, RegistrationState
from hotline import numbers, registration, rounds
from hotline.errors import Blocked, Refused
from hotline.intake import Intake, Place
from hotline.registration import Registered
from ivr.call import Call, Gone, Prompt
from prompts.catalogue import Value
from settings import Settings

_LONGEST_NUMBER = 15  # E.164 has at most 15 digits
_TRIES = 3
MESSAGE_S = 60
"""The longest message."""
_WAV_HEADER = 44
_REFUSALS = {
    "registration-closed": "closed-meanwhile",
    "round-full": "full-meanwhile",
    "too-many-today": "too-many-today",
    "number-taken": "number-taken",
}


def explains(refused: Refused) -> str | None:
    """The prompt that tells a caller of this refusal; None where there is none."""
    if isinstance(refused, Blocked):
        return f"blocked-{refused.reason}"
    return _REFUSALS.get(refused.code)


def something_recorded(wav: Path) -> bool:
    """Whether Asterisk could write the file, and there is sound in it."""
    return wav.exists() and wav.stat().st_size > _WAV_HEADER


@dataclass
class Conversation:
    """One caller's call. `number` is the E.164 number the network gave, if it can be called back."""

    call: Call
    engine: Engine
    settings: Settings
    number: str | None
    intake: Intake
    message: tuple[int, str] | None = None
    """A registration and the file of its message, which the next transaction is to keep."""
    refused: str = ""
    """The code of the rule that refused the last registration."""

    def ask_number(self) -> str:
        """A number to call back, keyed in and confirmed by its owner's ear; E.164. Raises Gone."""
        for _ in range(_TRIES):
            keyed = self.call.ask_digits("ask-number", at_most=_LONGEST_NUMBER)
            try:
                number = numbers.parse(keyed, self.settings.allowed_prefixes)
            except Refused:
                self.call.say("number-invalid")
                continue
            if self.confirm_number(number):
                return number
        raise Gone

    def confirm_number(self, number: str) -> bool:
        """Whether the caller says that this E.164 number is the right one. Raises Gone."""
        spoken = Prompt("confirm-number", {"number": numbers.national(number)})
        return self.call.ask(spoken, keys="12") == "1"

    def number_to_call(self) -> tuple[str, bool]:
        """The E.164 number to call back, and whether it is sure: a caller without one is called first."""
        if self.number is None:
            return self.ask_number(), False
        if self.confirm_number(self.number):
            return self.number, True
        return self.ask_number(), True

    def commit(
        self, round_id: int | None, number: str, *, confirmed: bool, subject: int | None = None
    ) -> Registered | None:
        """Register the number for the round, or for the operators' line (no round's id).

        None if a rule refuses it, which the caller has then heard.
        """
        told: Registered | Refused
        with writing(self.engine) as session:
            self._attach_message(session)
            try:
                told = registration.register(
                    session,
                    round_id=rounds.standing_line(session).id if round_id is None else round_id,
                    number=number,
                    language=self.call.language,
                    subject=subject,
                    confirmed=confirmed,
                    per_day=self.settings.registrations_per_day,
                )
            except Refused as refused:  # the message is kept all the same
                told = refused
        self.message = None
        if isinstance(told, Registered):
            return told
        prompt = explains(told)
        if prompt is None:
            raise told
        self.refused = told.code
        self.call.say(prompt)
        return None

    def keep_message(self) -> None:
        """Keep the message now, if none of the transactions since has taken it along."""
        if self.message:
            with writing(self.engine) as session:
                self._attach_message(session)
            self.message = None

    def _attach_message(self, session: Session) -> None:
        if self.message:
            registration.attach_message(session, *self.message)

    def tell_place(self, ahead: int) -> None:
        """Say how many citizens are called before this one."""
        if ahead:
            self.call.say("ahead-some", ahead=ahead)
        else:
            self.call.say("ahead-none")

    def tell_status(self, place: Place) -> None:
        """Say how a registration stands; of one in the line, which place it has and when its round is."""
        if place.state is RegistrationState.WAITING and not place.left:
            self.call.say(_priority(place) if place.carried else "status-waiting")
            self.tell_where(place)
            return
        self.call.say(f"status-{_status(place)}")
        if not place.left or place.given_up:
            return
        if place.next_at:
            self.say_when("next-round-at", place.next_at)
        else:
            self.call.say("next-round-to-come")

    def greet_carried(self, place: Place) -> None:
        """Say that this place has priority, because an earlier round did not reach it."""
        self.call.say(_priority(place))

    def tell_where(self, place: Place) -> None:
        """Say the place in the line, and when the round is, unless that is not public yet."""
        if place.carried:
            self.call.say("place", place=place.ahead + 1)
        else:
            self.tell_place(place.ahead)
        if place.standing or place.phase is Phase.PLANNED:
            return
        if place.phase is Phase.LIVE:
            self.call.say("round-has-begun")
        else:
            self.say_when("round-at", place.starts_at)

    def ask_subject(self, question: str) -> int:
        """One of the city's subjects that are offered. Raises Gone."""
        keys = self.intake.offer.subjects
        return int(self.call.ask(question, *(f"subject-{key}" for key in keys), keys=keys))

    def new_message(self) -> Path:
        """A file, without its ending, for something the caller is about to say."""
        return self.settings.messages_dir / uuid.uuid4().hex

    def say_when(self, prompt: str, at: datetime, **slots: Value) -> None:
        """Say a prompt with the day, the date and the hour of `at` in the city's own time."""
        self.call.say(prompt, day=at, date=at, time=at, **slots)


def _priority(place: Place) -> str:
    return "carried-cancelled" if place.left_cancelled else "carried-over"


def _status(place: Place) -> str:
    if place.given_up:
        return "given-up"
    if place.left and place.phase is Phase.CANCELLED:
        return "round-cancelled"
    if place.deferred:
        return "deferred"
    if place.left and place.state is RegistrationState.WAITING:
        return "not-reached"
    return place.state
