"""What the scripts of one call share: the call, the caller, and a few questions asked in several places."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import writing
from hotline import numbers, registration, rounds
from hotline.errors import Blocked, Refused
from hotline.intake import Intake
from hotline.registration import Registered
from ivr.call import Call, Gone, Prompt
from prompts.catalogue import Value
from settings import Settings

SUBJECTS = "123456789"
_LONGEST_NUMBER = 15  # E.164 has at most 15 digits
_TRIES = 3
MESSAGE_S = 60
"""The longest message."""
_WAV_HEADER = 44
_REFUSALS = {
    "registration-closed": "closed-meanwhile",
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

    def ask_subject(self, question: str) -> int:
        """One of the city's nine subjects. Raises Gone."""
        return int(self.call.ask(question, *(f"subject-{n}" for n in SUBJECTS), keys=SUBJECTS))

    def new_message(self) -> Path:
        """A file, without its ending, for something the caller is about to say."""
        return self.settings.messages_dir / uuid.uuid4().hex

    def say_when(self, prompt: str, at: datetime, **slots: Value) -> None:
        """Say a prompt with the day, the date and the hour of `at` in the city's own time."""
        self.call.say(prompt, day=at, date=at, time=at, **slots)
