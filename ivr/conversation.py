"""What the scripts of one call share: the call, the caller, and a few questions asked in several places."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from db.engine import writing
from hotline import numbers, registration
from hotline.errors import Refused
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
_REFUSALS = {
    "registration-closed": "closed-meanwhile",
    "too-many-today": "too-many-today",
    "number-blocked": "blocked-owner",
}


@dataclass
class Conversation:
    """One caller's call. `number` is the E.164 number the network gave, if it can be called back."""

    call: Call
    engine: Engine
    settings: Settings
    number: str | None
    intake: Intake

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
        self, round_id: int, number: str, *, confirmed: bool, subject: int | None = None
    ) -> Registered | None:
        """Register the number; None if a rule refuses it, which the caller has then heard."""
        try:
            with writing(self.engine) as session:
                return registration.register(
                    session,
                    round_id=round_id,
                    number=number,
                    language=self.call.language,
                    subject=subject,
                    confirmed=confirmed,
                    per_day=self.settings.registrations_per_day,
                )
        except Refused as refused:
            if refused.code not in _REFUSALS:
                raise
            self.call.say(_REFUSALS[refused.code])
            return None

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
