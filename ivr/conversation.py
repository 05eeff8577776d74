"""What the scripts of one call share: the call, the caller, and a few questions asked in several places."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import one_at_a_time, writing
from db.states import Phase, RegistrationState
from hotline import numbers, subjects
from hotline.errors import Blocked, Refused
from hotline.line import confirmations, registration, silences
from hotline.line.caller_context import CallerContext, Place
from hotline.line.registration import Registered
from hotline.rounds import rounds
from ivr import menus
from ivr.call import END, Call, NoInput, NoKey, Prompt
from prompts.catalogue import Value
from settings import Settings

_LONGEST_NUMBER = 15  # E.164 has at most 15 digits
_LONGEST_ID = 100
"""So many signs of a channel's id are in the name of a file."""
_TRIES = 3
_ASKED_ENOUGH = "asked-enough"
"""A refusal after which an operator can help."""
_REFUSALS = {
    "registration-closed": "closed-meanwhile",
    "round-full": "full-meanwhile",
    "too-many-today": "too-many-today",
    "too-many-withheld": "too-many-withheld",
    "already-asked": "number-being-asked",
    _ASKED_ENOUGH: "number-asked-enough",
}


T = TypeVar("T")


def before_you(before_me: int) -> Prompt:
    """How many citizens are called before this one."""
    return Prompt("ahead-some", {"ahead": before_me}) if before_me else Prompt("ahead-none")


def about(minutes: int) -> Prompt:
    """How long a wait may take."""
    return Prompt("wait-minute") if minutes == 1 else Prompt("wait-minutes", {"minutes": minutes})


def say_before_you(call: Call, before_me: int) -> None:
    """Say how many citizens are called before this one."""
    said = before_you(before_me)
    call.say(said.id, **said.slots)


def explains(refused: Refused) -> str | None:
    """The prompt that tells a caller of this refusal; None where there is none."""
    if isinstance(refused, Blocked):
        return f"blocked-{refused.reason}"
    return _REFUSALS.get(refused.code)


@dataclass
class Added:
    """What the caller has given besides the place; kept with the next transaction, or when the call ends."""

    registration_id: int
    subject: int | None = None
    voice_message: str | None = None
    """The name of a file."""


@dataclass
class Conversation:
    """One caller's call. `number` is the E.164 number the network gave, if it can be called back."""

    call: Call
    engine: Engine
    settings: Settings
    number: str | None
    context: CallerContext
    added: Added | None = None
    """What no transaction has kept yet."""
    asked: list[int] = field(default_factory=list)
    """The confirmations that the caller has asked for: their calls wait until this one is over."""
    was_asked_number: bool = False
    """Whether the caller was asked to key a number in."""

    @property
    def caller(self) -> str | None:
        """The E.164 number the network gave, also where it may not be called; None if it is withheld."""
        return numbers.of_caller(self.call.caller_id, self.settings.allowed_prefixes)

    def ask_number(self, *, silent: bool = False) -> str:
        """A number to call back, keyed in and confirmed by its owner's ear; E.164. Raises NoInput.

        `silent`: the caller has pressed no key so far, and is not asked a second time in silence.
        """
        self.was_asked_number, mistake = True, ""
        for _ in range(_TRIES):
            keyed = self.call.ask_digits(
                "ask-number", at_most=_LONGEST_NUMBER, optional=silent, mistake=mistake
            )
            if not keyed:
                raise NoKey
            try:
                number = numbers.parse(keyed, self.settings.allowed_prefixes)
            except Refused:
                mistake = "number-invalid"
                continue
            mistake = ""
            if self.confirm_number(number):
                return number
        if mistake:
            self.call.say_instead(mistake)
        raise NoInput

    def confirm_number(self, number: str) -> bool:
        """Whether the caller says that this E.164 number is the right one. Raises NoInput."""
        spoken = Prompt("confirm-number", {"number": numbers.national(number)})
        return self.call.ask(spoken, keys="12") == "1"

    def number_to_call(self) -> str:
        """The E.164 number to call back: the caller's own, or another that they key in. Raises NoInput."""
        if self.number is not None and self.confirm_number(self.number):
            return self.number
        return self.ask_number()

    def register(self, round_id: int | None) -> Registered:
        """Register the caller's own number for the round, or for the operators' line (no round's id).

        Raises Refused.
        """
        registered = self.commit(lambda session: self.place(session, round_id))
        self.added = None
        return registered

    def place(self, session: Session, round_id: int | None) -> Registered:
        """`register`, as a part of a transaction. Raises Refused."""
        assert self.number is not None  # noqa: S101 - or there is nothing to register
        one_at_a_time(session, self.number)  # before the row of what was added
        self._keep_added(session)
        return registration.register(
            session,
            round_id=_round(session, round_id),
            number=self.number,
            language=self.call.language,
            per_day=self.settings.registrations_per_day,
            call_id=self.call.channel_id,
        )

    def register_other(self, round_id: int | None, number: str) -> None:
        """Have the owner of a number that is not the caller's called, who then says whether it is registered.

        Says so, in the same words whatever is true of that number. Raises Refused.
        """

        def act(session: Session) -> int:
            return confirmations.ask_place(
                session,
                round_id=_round(session, round_id),
                number=number,
                asked_by=self.caller,
                language=self.call.language,
                per_day=self.settings.registrations_per_day,
            )

        self.ask_owner(act)
        self.call.say("number-will-be-confirmed")

    def ask_other_number(self, registration_id: int, number: str) -> None:
        """Ask that a place be called at another E.164 `number`, and say whom we call. Raises Refused."""
        asks_present_number = True

        def act(session: Session) -> int:
            nonlocal asks_present_number
            asked = confirmations.ask_number(
                session,
                registration_id,
                number,
                per_day=self.settings.registrations_per_day,
                call_id=self.call.channel_id,
            )
            asks_present_number = asked.new_number is not None
            return asked.id

        self.ask_owner(act)
        if asks_present_number:
            self.call.say("change-call-soon")
        else:
            self.call.say("change-number-asked", number=numbers.national(number))

    def ask_owner(self, act: Callable[[Session], int]) -> None:
        """Ask for a confirmation, in a transaction: its call comes when this one is over. Raises Refused."""
        self.asked.append(self.commit(act))

    def commit(self, act: Callable[[Session], T]) -> T:
        """What `act` returns, in a transaction, which is kept even if a rule refuses. Raises Refused."""
        refusal: Refused | None = None
        with self.call.working(), writing(self.engine) as session:
            try:
                done = act(session)
            except Refused as refused:
                refusal = refused
        if refusal:
            raise refusal
        return done

    def tell_refusal(self, refused: Refused) -> None:
        """Say why a rule refuses. Raises it again where there is nothing to say."""
        prompt = explains(refused)
        if prompt is None:
            raise refused
        if refused.code == _ASKED_ENOUGH:
            self.call.ask(prompt, keys=END, tries=1, optional=True)  # or 0
        else:
            self.call.say_instead(prompt)

    @contextmanager
    def telling_refusals(self) -> Iterator[None]:
        """Say why a rule refuses what is done within, and go on after it."""
        try:
            yield
        except Refused as refused:
            self.tell_refusal(refused)

    def add(
        self, registration_id: int, *, subject: int | None = None, voice_message: str | None = None
    ) -> None:
        """Remember what the caller gives besides; `leave` keeps it, or an earlier transaction."""
        added = self.added or Added(registration_id)
        self.added = Added(registration_id, subject or added.subject, voice_message or added.voice_message)

    def leave(self) -> None:
        """The call is nearly over: keep what has not been kept, and let the calls come that it asked for."""
        silent = self.number if self.call.silences else None
        if self.added or self.asked or silent:
            with writing(self.engine) as session:
                self._keep_added(session)
                if silent:
                    silences.note(session, silent)
                confirmations.caller_leaves(session, self.asked)
            self.added, self.asked = None, []

    def _keep_added(self, session: Session) -> None:
        if self.added:
            given = {"subject": self.added.subject, "voice_message": self.added.voice_message}
            known = {column: value for column, value in given.items() if value is not None}
            registration.describe(session, self.added.registration_id, **known)

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
            self.call.say("place", place=place.before_me + 1)
        else:
            say_before_you(self.call, place.before_me)
        if place.in_operators_line or place.phase is Phase.PLANNED:
            return
        if place.phase is Phase.LIVE:
            self.call.say("round-has-begun")
        else:
            self.say_when("round-at", place.starts_at)

    def ask_subject(
        self, question: str, *, round_id: int | None = None, optional: bool = False
    ) -> int | None:
        """One of the city's subjects that are offered; None only where it is optional. Raises NoInput.

        The three that this round's citizens chose most are said first, the others to who presses 9, three at
        once. Each has its own key always, so that nobody who knows it waits to hear it.
        """
        offer = self.context.offer
        return self._ask_keys(question, offer.subjects, offer.common_subjects(round_id), optional=optional)

    def ask_category(self, question: str) -> int:
        """The key of what is reported, of those that are in use: said as subjects are. Raises NoInput."""
        offered = self.context.offer.categories
        key = self._ask_keys(question, offered, subjects.common({}, offered), optional=False)
        assert key is not None  # noqa: S101 - it is not optional
        return key

    def _ask_keys(self, question: str, offered: str, first: str, *, optional: bool) -> int | None:
        rest = "".join(key for key in offered if key not in first)
        pages = [offered] if len(offered) <= subjects.AT_ONCE else [first, *menus.split(rest)]
        for number, page in enumerate(pages):
            goes_on = number < len(pages) - 1
            if number > 1:
                self.call.drop_keys()  # nobody knows this page by heart: what was typed on is for another one
            said = [f"subject-{key}" for key in page] + ["subject-others"] * goes_on
            keys = "".join(sorted({*offered, *menus.OTHERS * goes_on}))
            asked = None if number else question
            key = menus.ask(self.call, asked, said, keys=keys, optional=optional)
            if key != menus.OTHERS or not goes_on:
                break
        key = key or (pages[-1][-1] if number else "")
        return int(key) if key else None

    def new_voice_message(self, about: str = "") -> Path:
        """A file, without its ending, for something the caller is about to say.

        `about` is a part of its name: so whoever goes on with a call that was cut knows it, too.
        """
        return self.settings.messages_dir / f"{self._voice_message_prefix}{about}{uuid.uuid4().hex}"

    def voice_messages(self) -> list[Path]:
        """What the caller has said in this call, the oldest first; nothing that was deleted."""
        found = self.settings.messages_dir.glob(f"{self._voice_message_prefix}*.wav")
        return sorted(found, key=lambda wav: wav.stat().st_mtime)

    @property
    def _voice_message_prefix(self) -> str:
        return "".join(c for c in self.call.channel_id if c.isalnum())[:_LONGEST_ID] + "-"

    def say_when(self, prompt: str, at: datetime, **slots: Value) -> None:
        """Say a prompt with the day, the date and the hour of `at` in the city's own time."""
        self.call.say(prompt, day=at, date=at, time=at, **slots)


def _round(session: Session, round_id: int | None) -> int:
    return rounds.operators_line(session).id if round_id is None else round_id


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
