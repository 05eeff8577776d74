"""The whole menu, in both languages: wherever a call ends, whatever a caller does, all is kept or nothing."""

import itertools
import logging
from collections import deque
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from stdnum import damm

from db.engine import reading, writing
from db.models import Confirmation, ConfirmationKind, Event, OfficialKind, Registration, Request, Round
from db.states import Phase, RegistrationState
from hotline import numbers, tickets
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import (
    CUT,
    HANG_UP,
    Anybody,
    Deed,
    End,
    FakeAsterisk,
    Heard,
    Leaving,
    Steps,
    transactions,
)

pytestmark = pytest.mark.long

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])

KEYED_IN = "09137654321"
NOBODYS = "000000" + damm.calc_check_digit("000000")
Path = list[tuple[str, Deed]]

REGISTER: Path = [("main-menu", "1"), ("choose-kind", "1"), ("confirm-number", "1"), ("ask-subject", "1")]
SPEAK: Path = [("message-offer", "1"), ("recording", "#")]
OWNER: Path = [("main-menu", "2")]
CANCEL: Path = [*OWNER, ("follow-up-menu", "2"), ("cancel-confirm", "5")]
REPORT: Path = [("main-menu", "3"), ("report-category", "1"), ("report-district", "7#"), ("recording", "#")]
OPERATOR: Path = [("main-menu", "0"), ("operator-choice", "2")]
OTHER_NUMBER: Path = [("confirm-number", "2"), ("ask-number", f"{KEYED_IN}#"), ("confirm-number", "1")]

PATHS: dict[str, Path] = {
    "silence": [],
    "register": [*REGISTER, ("message-offer", "#")],
    "register, with a message": [*REGISTER, *SPEAK, ("message-review", "1")],
    "register, message again": [*REGISTER, *SPEAK, ("message-review", "2"), ("message-review", "3")],
    "register, another number": [*REGISTER[:2], *OTHER_NUMBER],
    "register, a deputy": [
        *(REGISTER[0], ("choose-kind", "2"), ("choose-round", "2"), *REGISTER[2:], ("message-offer", "#")),
    ],
    "register, a district": [
        *(REGISTER[0], ("choose-kind", "3"), ("ask-district", "3#"), ("ask-district", "7#")),
        *(*REGISTER[2:], ("message-offer", "#")),
    ],
    "register, with a message, then an operator": [
        *(*REGISTER, *SPEAK, ("message-review", "0"), *OPERATOR[1:]),
    ],
    "two numbers nobody has": [*OWNER, ("follow-up-menu", "4"), *[("follow-up-ask", NOBODYS)] * 2],
    "register, one that is full, then another": [
        *(REGISTER[0], ("choose-kind", "2"), ("choose-round", "3")),
        *(*REGISTER[1:], ("message-offer", "#")),
    ],
    "register, the place is there, carried over": [
        *(REGISTER[0], ("choose-kind", "3"), ("ask-district", "8#")),
    ],
    "follow up": [*OWNER, ("follow-up-menu", "1"), ("follow-up-menu", "#")],
    "follow up, carried over": [*OWNER, ("follow-up-menu", "1"), ("follow-up-menu", "#")],
    "follow up, not reached": [*OWNER, ("follow-up-menu", "1"), ("follow-up-menu", "#")],
    "follow up, cancelled by the city": [*OWNER, ("follow-up-menu", "#")],
    "cancel, not reached": CANCEL,
    "cancel": CANCEL,
    "do not cancel": [*OWNER, ("follow-up-menu", "2"), ("cancel-confirm", "6")],
    "change the number": [
        *(*OWNER, ("follow-up-menu", "3"), *OTHER_NUMBER[1:]),
    ],
    "another ticket": [*OWNER, ("follow-up-menu", "4"), ("follow-up-ask", "1234567#")],
    "report": [*REPORT, ("report-review", "1")],
    "report nothing": [*REPORT, ("report-review", "2"), ("report-review", "3")],
    "operator": OPERATOR,
}
OWNS = {
    **dict.fromkeys(
        (
            *("two numbers nobody has", "follow up", "cancel", "do not cancel"),
            *("change the number", "another ticket", "cancel, without a ticket"),
        ),
        "waiting",
    ),
    **dict.fromkeys(("register, the place is there, carried over", "follow up, carried over"), "carried"),
    **dict.fromkeys(("follow up, not reached", "cancel, not reached"), "not reached"),
    "follow up, cancelled by the city": "cancelled",
}
"""Callers of these paths have a registration already, in this state."""
HOW = [None, *sorted(set(OWNS.values()))]

PLACED = {"registered", "registered-brief"}
UNREPORTED = {"report-nothing", "report-deleted"}


def walk(name: str) -> Path:
    """This path, with a number of its own where one is keyed in."""
    own = {KEYED_IN: numbers.format_national(make.a_number())}

    def keys(deed: Deed) -> Deed:
        for there, here in own.items() if isinstance(deed, str) else ():
            deed = str(deed).replace(there, here)
        return deed

    return [(at, keys(deed)) for at, deed in PATHS[name]]


@pytest.fixture
def city(engine: Engine, settings: Settings) -> "City":
    return City(engine, settings)


@dataclass
class Kept:
    """The rows of the database and the files in the folder of messages."""

    registrations: dict[int, Registration]
    requests: dict[int, Request]
    unconfirmed: set[int]
    at_operators: set[int]
    """The registrations in the operators' line."""
    events: list[tuple[int | None, str]]
    files: set[str]


class City:
    """Rounds of the mayor, of two deputies and of two districts take registrations; a third deputy's is full.

    There are others, of the same offices, that are over or cancelled.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        with writing(engine) as session:
            for kind, district in [
                *((OfficialKind.MAYOR, None), (OfficialKind.DEPUTY, None), (OfficialKind.DEPUTY, None)),
                *((OfficialKind.DISTRICT_MANAGER, 7), (OfficialKind.DISTRICT_MANAGER, 8)),
            ]:
                round_ = make.a_round(session, Phase.OPEN)
                round_.official.kind, round_.official.district = kind, district
            full = make.a_round(session, Phase.OPEN)
            full.official.kind, full.capacity = OfficialKind.DEPUTY, 1
            make.a_registration(session, full)
            over, cancelled = (make.a_round(session, phase) for phase in (Phase.OVER, Phase.CANCELLED))
            self._round_ids = {
                "waiting": round_.id,
                "carried": round_.id,
                "not reached": over.id,
                "cancelled": cancelled.id,
            }

    def somebody(self, how: str | None) -> str:
        """The number of a caller, who may have a registration that stands like this."""
        if not how:
            return make.a_number()
        with writing(self._engine) as session:
            round_ = session.get_one(Round, self._round_ids[how])
            own = make.a_registration(session, round_, rounds_missed=how == "carried")
        return own.number

    def takes(self, name: str) -> tuple[str, Path]:
        """The number of somebody who takes this path, and their path."""
        number = self.somebody(OWNS.get(name))
        return number, walk(name)

    def kept(self) -> Kept:
        with reading(self._engine) as session:
            folder = self._settings.messages_dir
            asked_for = select(Confirmation.registration_id).filter_by(kind=ConfirmationKind.REGISTRATION)
            at_operators = select(Registration.id).join(Registration.round).where(Round.is_operators_line)
            moved = select(Event.registration_id, Event.what).where(Event.kind == "registration")
            return Kept(
                {r.id: r for r in session.scalars(select(Registration))},
                {r.id: r for r in session.scalars(select(Request))},
                set(session.scalars(asked_for)),
                set(session.scalars(at_operators)),
                [(id_, what) for id_, what in session.execute(moved)],
                {file.name for file in folder.iterdir()} if folder.exists() else set(),
            )

    def check_whole(self, before: Kept, after: Kept, heard: Heard) -> None:
        """Everything that this call left is whole, and it is what the caller was told."""
        made = [r for id_, r in after.registrations.items() if id_ not in before.registrations]
        joined = [r for r in made if r.id in after.at_operators]
        placed = [r for r in made if r.id not in after.at_operators and r.id not in after.unconfirmed]
        assert len(placed) <= 1
        assert len(placed) == bool(PLACED & set(heard.prompts)) or heard.left_at_work
        assert len(joined) >= ("operator-registered" in heard.prompts) - 1  # it may have been there before
        assert len(joined) <= 1
        for registration in made:
            assert tickets.parse(registration.ticket) == registration.ticket
            states = {True: RegistrationState.UNCONFIRMED, False: RegistrationState.WAITING}
            assert registration.state is states[registration.id in after.unconfirmed]
            told = [what for id_, what in after.events if id_ == registration.id]
            assert told == [registration.state]
        reported = [r for id_, r in after.requests.items() if id_ not in before.requests]
        spoken = {"report-speak", "silence-speak"} & set(heard.prompts) and bool(heard.recorded)
        assert len(reported) == bool(spoken and not UNREPORTED & set(heard.prompts)), "deleted, or kept"
        named = {r.voice_message for r in [*after.registrations.values(), *after.requests.values()]} - {None}
        assert after.files == named, "each message has its row, and each row its message"


def shared_steps(name: str) -> int:
    """With how many of its steps an earlier path begins, of somebody who stands alike."""
    own, shared = PATHS[name], 0
    earlier = itertools.takewhile(lambda other: other != name, PATHS)
    alike = [PATHS[other] for other in earlier if OWNS.get(other) == OWNS.get(name)]
    while shared < len(own) and any(path[: shared + 1] == own[: shared + 1] for path in alike):
        shared += 1
    return shared


def own_moments(asterisk: FakeAsterisk, city: City, name: str) -> range:
    """The moments of this path, with nobody hanging up, but for those that an earlier path has had."""
    number, path = city.takes(name)
    caller = Leaving(Steps(*path), -1, HANG_UP)
    assert asterisk.call(caller, caller_id=numbers.format_national(number)).finished
    first, shared = 0, deque(at for at, _ in path[: shared_steps(name)])
    for count, moment in enumerate(caller.moments, 1):
        if shared and moment == shared[0]:
            shared.popleft()
            first = count
    return range(first, len(caller.moments))


@on_sqlite
@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("name", PATHS)
def test_whoever_hangs_up_at_any_moment_leaves_all_or_nothing(
    asterisk: FakeAsterisk, city: City, name: str, how: End, caplog: pytest.LogCaptureFixture
):
    callers = [(moment, *city.takes(name)) for moment in own_moments(asterisk, city, name)]
    after = city.kept()
    for moment, number, path in callers:
        caller = Leaving(Steps(*path), moment, how)

        heard = asterisk.call(caller, caller_id=numbers.format_national(number))

        assert not heard.finished
        assert len(caller.moments) == moment + 1, "nothing is asked of one who is gone"
        before, after = after, city.kept()
        city.check_whole(before, after, heard)
    assert [record for record in caplog.records if record.exc_info] == []


@on_sqlite
@pytest.mark.parametrize("name", PATHS)
def test_each_path_ends_whole_in_three_transactions(
    asterisk: FakeAsterisk, city: City, engine: Engine, name: str
):
    number, path = city.takes(name)
    before = city.kept()
    begun = transactions(engine)
    in_use: set[int] = set()

    heard = asterisk.dial(
        *path,
        caller_id=numbers.format_national(number),
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert len(begun) <= 3
    assert in_use == {0}
    assert heard.finished
    city.check_whole(before, city.kept(), heard)


@on_sqlite
@pytest.mark.parametrize("name", PATHS)
def test_in_english_the_same_is_asked_and_all_in_english(asterisk: FakeAsterisk, city: City, name: str):
    persian, english = (
        asterisk.dial(*switch, *path, caller_id=numbers.format_national(number))
        for switch, (number, path) in (([], city.takes(name)), ([("main-menu", "9")], city.takes(name)))
    )

    assert _plain(english)[2:] == _plain(persian)[1:]
    after = english.clips.index("main-menu") + 1
    spoken = zip(english.folders[after:], english.clips[after:], strict=True)
    assert {folder.name for folder, clip in spoken if clip != "menu-persian"} == {"en"}
    assert english.finished


def _plain(heard: Heard) -> list[str]:
    """The prompts but for the offer of the other language and places: the second caller is behind."""
    besides = ("menu-", "ahead-")
    return [prompt for prompt in heard.prompts if not prompt.startswith(besides)]


@on_sqlite
@pytest.mark.parametrize("how", [HANG_UP, None])
def test_no_log_line_names_a_caller_a_number_or_a_ticket(
    asterisk: FakeAsterisk, city: City, caplog: pytest.LogCaptureFixture, how: End | None
):
    caplog.set_level(logging.DEBUG)
    secrets: set[str] = set()
    for name in PATHS:
        number, path = city.takes(name)
        secrets |= {number[3:], *(str(deed)[1:-1] for at, deed in path if at == "ask-number")}
        caller = Leaving(Steps(*path), 5 if how else -1, how or HANG_UP)
        asterisk.call(caller, caller_id=numbers.format_national(number), agi_calleridname="Zohreh")
    secrets |= {r.ticket for r in city.kept().registrations.values()}
    secrets |= {r.tracking for r in city.kept().requests.values()} | {"Zohreh"}

    assert len(caplog.records) >= 2 * len(PATHS)
    assert [secret for secret in secrets if secret in caplog.text] == []


# --- anything at all ---


KEYS = st.sampled_from("1123120*#9")
DEED = (
    st.none()
    | KEYS
    | st.sampled_from([f"{KEYED_IN}#", "7#", "16#", "1", "1", "2", "5", "0#", "HUNG", "CUT"])
    | st.text("0123456789*#", max_size=12)
)
ENDS: dict[str | None, End] = {"HUNG": HANG_UP, "CUT": CUT}


@on_sqlite
@hypothesis(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sampled_from(["1", "2", "3", "0", "9", None]),
    deeds=st.lists(DEED, max_size=25),
    english=st.booleans(),
    how=st.sampled_from(HOW),
    withheld=st.booleans(),
)
def test_any_keys_leave_nothing_half_done(
    asterisk: FakeAsterisk,
    city: City,
    caplog: pytest.LogCaptureFixture,
    first: str | None,
    deeds: list[str | None],
    english: bool,
    how: str | None,
    withheld: bool,
):
    caplog.clear()
    number = city.somebody(how)
    before = city.kept()
    switch = [None, "9"] if english else [None]
    caller = Anybody([*switch, first, *(ENDS.get(deed, deed) for deed in deeds)])

    heard = asterisk.call(caller, caller_id="anonymous" if withheld else numbers.format_national(number))

    assert heard.finished is not caller.gone
    assert [record for record in caplog.records if record.exc_info] == []
    assert len(heard.prompts) < 200
    city.check_whole(before, city.kept(), heard)


def test_fifty_callers_on_every_path_all_end(asterisk: FakeAsterisk, city: City, engine: Engine):
    names = [list(PATHS)[which % len(PATHS)] for which in range(50)]
    callers = [city.takes(name) for name in names]

    def call(which: int) -> Heard:
        number, path = callers[which]
        return asterisk.call(Steps(*path), caller_id=numbers.format_national(number))

    calls = make.at_once(len(callers), call)

    assert all(heard.finished for heard in calls)
    placed = sum("registered" in heard.prompts for heard in calls)
    joined = sum("operator-registered" in heard.prompts for heard in calls)
    with reading(engine) as session:
        told = select(func.count(Event.id.distinct())).where(
            Event.registration_id.in_(
                select(Registration.id).join(Registration.round).where(Round.is_operators_line.is_(False))
            ),
            Event.what == "waiting",
        )
        assert session.scalar(told) == placed
        in_line = select(func.count(Registration.id)).join(Registration.round).where(Round.is_operators_line)
        assert session.scalar(in_line) == joined
        assert session.scalar(select(func.count(Round.id)).where(Round.is_operators_line)) == 1
