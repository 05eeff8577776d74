"""Key 2: where do I stand? Anybody with a ticket number may ask; nothing personal is said."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from stdnum import damm

from db.engine import writing
from db.models import Registration
from db.states import RegistrationState
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Anybody, Deed, End, FakeAsterisk, answering

ASKED = ["greeting", "main-menu", "follow-up-ask"]
TICKET = "012345" + damm.calc_check_digit("012345")
UNKNOWN = "543210" + damm.calc_check_digit("543210")

ANSWERS = {
    RegistrationState.WAITING: ["status-waiting", "ahead-some"],
    RegistrationState.CALLING: ["status-calling"],
    RegistrationState.REACHED: ["status-reached"],
    RegistrationState.UNREACHED: ["status-unreached"],
    RegistrationState.CLOSED: ["status-closed"],
    RegistrationState.CANCELLED: ["status-cancelled"],
}

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


@pytest.fixture
def asterisk(settings: Settings, engine: Engine) -> Iterator[FakeAsterisk]:
    with answering(settings, engine) as asterisk:
        yield asterisk


@pytest.fixture
def own(engine: Engine) -> Registration:
    """The registration with TICKET, third in its line."""
    with writing(engine) as session:
        *_, own = make.some_registrations(session, make.a_round(session), 3)
        own.ticket = TICKET
    return own


@pytest.mark.parametrize("state", RegistrationState)
def test_each_state_is_told(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, state: RegistrationState
):
    with writing(engine) as session:
        session.get_one(Registration, own.id).state = state

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.prompts == [*ASKED, *ANSWERS[state], "goodbye"]
    assert heard.finished


def test_who_waits_hears_how_many_are_ahead(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.said("ahead-some", ahead=2)


def test_who_is_next_hears_that(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    with writing(engine) as session:
        session.get_one(Registration, own.id).rounds_missed = 1

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.prompts == [*ASKED, "status-waiting", "ahead-none", "goodbye"]


def test_who_closes_the_entry_as_told_hears_the_whole_answer(asterisk: FakeAsterisk, own: Registration):
    """The prompt asks for # after the seven digits: that # must not end what it was to bring."""
    heard = asterisk.dial(("after main-menu", "2"), ("after follow-up-ask", TICKET + "#"))

    assert heard.prompts == [*ASKED, "status-waiting", "ahead-some", "goodbye"]
    assert heard.cut_off == []


def test_after_a_slip_the_closing_key_does_not_answer_the_next_question(
    asterisk: FakeAsterisk, own: Registration
):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", UNKNOWN + "#"), ("follow-up-ask", TICKET))

    assert heard.prompts == [
        *ASKED,
        "ticket-invalid",
        "follow-up-ask",
        "status-waiting",
        "ahead-some",
        "goodbye",
    ]


@pytest.mark.parametrize(
    "keyed",
    [
        UNKNOWN,
        TICKET[:-1] + str((int(TICKET[-1]) + 1) % 10),
        TICKET[1] + TICKET[0] + TICKET[2:],
        TICKET[:-1] + "#",
        "1#",
    ],
)
def test_a_number_that_is_no_ticket_is_asked_for_again(asterisk: FakeAsterisk, own: Registration, keyed: str):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", keyed), ("follow-up-ask", TICKET))

    assert heard.prompts == [
        *ASKED,
        *("ticket-invalid", "follow-up-ask", "status-waiting", "ahead-some", "goodbye"),
    ]


def test_three_mistakes_end_in_a_goodbye(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), *[("follow-up-ask", UNKNOWN)] * 3)

    assert heard.prompts == [
        *ASKED[:2],
        *["follow-up-ask", "ticket-invalid"] * 3,
        "goodbye-no-input",
    ]
    assert heard.finished


@pytest.mark.parametrize("keyed", ["", "#"])
def test_who_keys_in_nothing_is_asked_twice_more(asterisk: FakeAsterisk, keyed: str):
    heard = asterisk.dial(("main-menu", "2"), *[("after follow-up-ask", keyed)] * 3)

    again = ["no-key-again", "follow-up-ask"]
    assert heard.prompts == [*ASKED, *again, *again, "goodbye-no-input"]


def test_a_stranger_with_the_ticket_hears_no_number(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id="09139999999")

    assert heard.prompts[-3:] == ["status-waiting", "ahead-some", "goodbye"]
    assert not [clip for clip in heard.clips if clip.startswith("digit-")]


def test_an_answer_costs_one_transaction_and_none_while_it_is_spoken(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    begun: list[str] = []
    in_use_while_speaking: set[int] = set()
    event.listen(engine, "begin", lambda _: begun.append("transaction"))

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-ask", TICKET)),
        every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()),
    )

    assert heard.finished
    assert len(begun) == 1
    assert in_use_while_speaking == {0}


def test_when_the_database_fails_the_dialplan_apologises_and_the_next_call_is_served(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, caplog: pytest.LogCaptureFixture
):
    def rename(old: str, new: str) -> None:
        with writing(engine) as session:
            session.connection().exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    ask = ("after follow-up-ask", TICKET)
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", lambda: rename("registrations", "lost")), ask)
    rename("lost", "registrations")

    assert heard.prompts == ASKED
    assert not heard.finished
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]
    assert asterisk.dial(("main-menu", "2"), ask).finished


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["follow-up-ask", "after follow-up-ask", "status-waiting", "ahead-some"])
def test_whoever_hangs_up_hears_no_more(asterisk: FakeAsterisk, own: Registration, moment: str, how: End):
    keyed = [] if "ask" in moment else [("follow-up-ask", TICKET)]

    heard = asterisk.dial(("main-menu", "2"), *keyed, (moment, how))

    assert heard.prompts[-1] == moment.removeprefix("after ")
    assert not heard.finished


DEEDS = st.lists(
    st.none()
    | st.sampled_from([TICKET, TICKET + "#", UNKNOWN, "#", "*", HANG_UP, CUT])
    | st.text("0123456789*#", max_size=12),
    max_size=14,
)


@hypothesis(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_whatever_a_caller_does_the_call_ends(
    asterisk: FakeAsterisk, own: Registration, caplog: pytest.LogCaptureFixture, deeds: list[Deed | None]
):
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    caller = Anybody([None, "2", *deeds])

    heard = asterisk.call(caller)

    assert heard.finished is not caller.gone
    assert [record for record in caplog.records if record.exc_info] == []
    assert {prompt for prompt in heard.prompts if prompt.startswith("status-")} <= {"status-waiting"}
