"""State shared by the scripts of one call: the call, the caller, and common questions."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import hold_lock, writing
from db.states import Phase, RegistrationState
from hotline import numbers, subjects
from hotline.errors import Blocked, Refused
from hotline.line import confirmations, registration, silent_callers
from hotline.line.caller_context import CallerContext, Place
from hotline.line.registration import Registered
from hotline.rounds import phases
from ivr import menus
from ivr.call import END, Call, NoInput, NoKey, Prompt
from prompts.catalogue import Value
from settings import Settings

_LONGEST_NUMBER = 15  # E.164 has at most 15 digits
_LONGEST_ID = 100
"""Characters of a channel's id in the name of a file."""
_TRIES = 3
_ASKED_ENOUGH = "asked-enough"
"""Refusal after which an operator can help."""
_REFUSALS = {
    "registration-closed": "closed-meanwhile",
    "round-full": "full-meanwhile",
    "too-many-today": "too-many-today",
    "too-many-withheld": "too-many-withheld",
    "already-asked": "number-being-asked",
    _ASKED_ENOUGH: "number-asked-enough",
}


T = TypeVar("T")


def count_before_you(before_me: int) -> Prompt:
    """Return the prompt with the number of citizens ahead."""
    return Prompt("ahead-some", {"ahead": before_me}) if before_me else Prompt("ahead-none")


def describe_wait(minutes: int) -> Prompt:
    """Return the prompt with the length of a wait."""
    return Prompt("wait-minute") if minutes == 1 else Prompt("wait-minutes", {"minutes": minutes})


def say_before_you(call: Call, before_me: int) -> None:
    """Say how many citizens are called before this one."""
    said = count_before_you(before_me)
    call.say(said.id, **said.slots)


def find_explanation(refused: Refused) -> str | None:
    """Return the prompt for this refusal; None if there is none."""
    if isinstance(refused, Blocked):
        return f"blocked-{refused.reason}"
    return _REFUSALS.get(refused.code)


@dataclass
class Added:
    """Additions of the caller to the place, stored with the next transaction or at the end of the call."""

    registration_id: int
    subject: int | None = None
    voice_message: str | None = None
    """Name of a file."""


@dataclass
class Conversation:
    """Conversation with one caller. `number`: the E.164 number from the network, if it can be called back."""

    call: Call
    engine: Engine
    settings: Settings
    number: str | None
    context: CallerContext
    added: Added | None = None
    """Additions that no transaction has stored yet."""
    asked: list[int] = field(default_factory=list)
    """Ids of confirmations that the caller requested; their calls wait until this call is over."""
    was_asked_number: bool = False
    """The caller was asked to key a number in."""

    @property
    def caller(self) -> str | None:
        """E.164 number from the network, even if it may not be called; None if withheld."""
        return numbers.parse_caller(self.call.caller_id, self.settings.allowed_prefixes)

    def ask_number(self, *, silent: bool = False) -> str:
        """Ask for a number to call back, and return it as E.164 once the caller has confirmed it.

        Raises NoInput. `silent`: the caller has pressed no key so far, and is not asked a second time after a
        silence.
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
        """Return whether the caller confirms this E.164 number. Raises NoInput."""
        spoken = Prompt("confirm-number", {"number": numbers.format_national(number)})
        return self.call.ask(spoken, keys="12") == "1"

    def number_to_call(self) -> str:
        """Return the E.164 number to call back: the caller's own or another that they key in.

        Raises NoInput.
        """
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
        """Register within a transaction, as `register` does. Raises Refused."""
        assert self.number is not None  # noqa: S101 - without a number nothing can be registered
        hold_lock(session, self.number)  # lock order: before the row of the additions
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
        """Request a call to the owner of another number, who decides whether it is registered.

        The answer to the caller is the same whatever is true of that number. Raises Refused.
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
        """Request that a place be called at another E.164 `number`, and say whom we call. Raises Refused."""
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
            self.call.say("change-number-asked", number=numbers.format_national(number))

    def ask_owner(self, act: Callable[[Session], int]) -> None:
        """Request a confirmation in a transaction; its call follows when this one is over. Raises Refused."""
        self.asked.append(self.commit(act))

    def commit(self, act: Callable[[Session], T]) -> T:
        """Return the result of `act` in a transaction, which is committed even after a refusal.

        Raises Refused.
        """
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
        """Say why a rule refuses. Raises it again if there is no prompt for it."""
        prompt = find_explanation(refused)
        if prompt is None:
            raise refused
        if refused.code == _ASKED_ENOUGH:
            self.call.ask(prompt, keys=END, tries=1, optional=True)  # or 0
        else:
            self.call.say_instead(prompt)

    @contextmanager
    def telling_refusals(self) -> Iterator[None]:
        """Say why a rule refuses the block, and go on after it."""
        try:
            yield
        except Refused as refused:
            self.tell_refusal(refused)

    def add(
        self, registration_id: int, *, subject: int | None = None, voice_message: str | None = None
    ) -> None:
        """Remember an addition; `leave` or an earlier transaction stores it."""
        added = self.added or Added(registration_id)
        self.added = Added(registration_id, subject or added.subject, voice_message or added.voice_message)

    def leave(self) -> None:
        """Store the rest at the end of the call, and let the requested calls start."""
        silent = self.number if self.call.silences else None
        if self.added or self.asked or silent:
            with writing(self.engine) as session:
                self._keep_added(session)
                if silent:
                    silent_callers.record_silence(session, silent)
                confirmations.start_calls_soon(session, self.asked)
            self.added, self.asked = None, []

    def _keep_added(self, session: Session) -> None:
        if self.added:
            given = {"subject": self.added.subject, "voice_message": self.added.voice_message}
            known = {column: value for column, value in given.items() if value is not None}
            registration.describe(session, self.added.registration_id, **known)

    def tell_status(self, place: Place) -> None:
        """Say the state of a registration; for one in the line its place and the time of its round, too."""
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
        """Ask for one of the offered subjects; None only if it is `optional`. Raises NoInput.

        The three that this round's citizens chose most are said first, the others after a 9, three at once.
        Each key is always valid, so that a caller who knows it need not wait.
        """
        offer = self.context.offer
        return self._ask_keys(question, offer.subjects, offer.common_subjects(round_id), optional=optional)

    def ask_category(self, question: str) -> int:
        """Ask for the category of a report, in the same way as for subjects; return its key.

        Raises NoInput.
        """
        offered = self.context.offer.categories
        key = self._ask_keys(question, offered, subjects.list_most_chosen({}, offered), optional=False)
        assert key is not None  # noqa: S101 - it is not optional
        return key

    def _ask_keys(self, question: str, offered: str, first: str, *, optional: bool) -> int | None:
        rest = "".join(key for key in offered if key not in first)
        pages = [offered] if len(offered) <= subjects.AT_ONCE else [first, *menus.split(rest)]
        for number, page in enumerate(pages):
            goes_on = number < len(pages) - 1
            if number > 1:
                self.call.drop_keys()  # nobody knows this page by heart: earlier keys were for another page
            said = [f"subject-{key}" for key in page] + ["subject-others"] * goes_on
            keys = "".join(sorted({*offered, *menus.OTHERS * goes_on}))
            asked = None if number else question
            key = menus.ask(self.call, asked, said, keys=keys, optional=optional)
            if key != menus.OTHERS or not goes_on:
                break
        key = key or (pages[-1][-1] if number else "")
        return int(key) if key else None

    def new_voice_message(self, about: str = "") -> Path:
        """Return a new file name, without suffix, for the caller's next message.

        `about` is a part of the name, so that a continued call knows it, too.
        """
        return self.settings.messages_dir / f"{self._voice_message_prefix}{about}{uuid.uuid4().hex}"

    def voice_messages(self) -> list[Path]:
        """Return the caller's recordings in this call, oldest first, without deleted ones."""
        found = self.settings.messages_dir.glob(f"{self._voice_message_prefix}*.wav")
        return sorted(found, key=lambda wav: wav.stat().st_mtime)

    @property
    def _voice_message_prefix(self) -> str:
        return "".join(c for c in self.call.channel_id if c.isalnum())[:_LONGEST_ID] + "-"

    def say_when(self, prompt: str, at: datetime, **slots: Value) -> None:
        """Say a prompt with the day, the date and the hour of `at` in the city's time."""
        self.call.say(prompt, day=at, date=at, time=at, **slots)


def _round(session: Session, round_id: int | None) -> int:
    return phases.get_operators_line(session).id if round_id is None else round_id


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
