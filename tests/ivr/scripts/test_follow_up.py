"""Key 2, the follow-up of a place. The owner may change it by calling from the number. A stranger with the
ticket hears status and place, nothing personal.
"""

import logging

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine

from db.engine import writing
from db.models import Registration
from db.states import Fact, Outcome, RegistrationState
from hotline import numbers
from hotline.ledger import entries
from prompts.catalogue import list_clips
from tests.ivr.scripts.own_place import ASKED, CHOICES, OWNER, TICKET, UNKNOWN, WAITS, kept
from tests.kit.fake_asterisk import CUT, HANG_UP, Anybody, Deed, End, FakeAsterisk, transactions

STRANGER = "09139999999"
ANSWERS = {
    RegistrationState.UNCONFIRMED: ["status-unconfirmed"],
    RegistrationState.WAITING: WAITS,
    RegistrationState.CALLING: ["status-calling"],
    RegistrationState.REACHED: ["status-reached"],
    RegistrationState.UNREACHED: ["status-unreached"],
    RegistrationState.CLOSED: ["status-closed"],
    RegistrationState.CANCELLED: ["status-cancelled"],
}

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


@pytest.mark.parametrize("state", RegistrationState)
def test_each_state_is_told(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, state: RegistrationState
):
    with writing(engine) as session:
        session.get_one(Registration, own.id).state = state

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.prompts == [*ASKED, *ANSWERS[state], "goodbye"]
    assert heard.finished


def test_who_asked_for_the_next_round_hears_that(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    with writing(engine) as session:
        place = session.get_one(Registration, own.id)
        place.state, place.rounds_unanswered = RegistrationState.UNREACHED, 1
        place.last_outcome = Outcome.NO_ANSWER
        session.flush()
        entries.record(session, Fact.DEFERRED, place)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.prompts == [*ASKED, "status-deferred", "goodbye"]


def test_who_waits_hears_how_many_are_ahead(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.said("ahead-some", ahead=2)


def test_who_is_next_hears_that(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    with writing(engine) as session:
        session.get_one(Registration, own.id).moved_up = 1

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET))

    assert heard.prompts == [*ASKED, "status-waiting", "ahead-none", "round-has-begun", "goodbye"]


def test_who_closes_the_entry_as_told_hears_the_whole_answer(asterisk: FakeAsterisk, own: Registration):
    """The prompt asks for # after the seven digits: that # must not end what it was to bring."""
    heard = asterisk.dial(("after main-menu", "2"), ("after follow-up-ask", TICKET + "#"))

    assert heard.prompts == [
        *ASKED,
        *WAITS,
        "goodbye",
    ]
    assert heard.cut_off == []


def test_closing_key_after_a_slip_answers_no_question(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", UNKNOWN + "#"), ("follow-up-ask", TICKET))

    assert heard.prompts == [
        *ASKED,
        "ticket-invalid",
        "follow-up-ask",
        *WAITS,
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
        *("ticket-invalid", "follow-up-ask", *WAITS, "goodbye"),
    ]


def test_three_mistakes_end_in_a_goodbye(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), *[("follow-up-ask", "1#")] * 3)

    assert heard.prompts == [*ASKED[:3], *["follow-up-ask", "ticket-invalid"] * 3, "goodbye-how"]
    assert heard.finished


@pytest.mark.parametrize("slips", [0, 1])
def test_two_unknown_numbers_end_the_call_in_three_transactions(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, slips: int
):
    begun = transactions(engine)

    heard = asterisk.dial(
        *(("main-menu", "2"), *[("follow-up-ask", "1#")] * slips, *[("follow-up-ask", UNKNOWN)] * 2)
    )

    invalid = ["follow-up-ask", "ticket-invalid"] * (slips + 2)
    assert heard.prompts == [*ASKED[:3], *invalid, "goodbye-how"]
    assert heard.finished
    assert len(begun) == 3


@pytest.mark.parametrize("keyed", ["", "#"])
def test_who_keys_in_nothing_is_asked_once_more(asterisk: FakeAsterisk, keyed: str):
    silence = ("after follow-up-ask", keyed)

    heard = asterisk.dial(("main-menu", "2"), silence, ("after follow-up-ask-slow", keyed))

    assert heard.prompts == [
        *(*ASKED, "no-key-again", "follow-up-ask-slow"),
        *("operator-busy", "operator-registered", "ticket-again", "goodbye"),
    ]


def guess_wrong(asterisk: FakeAsterisk, calls: int, *, caller_id: str) -> list[str]:
    """The last prompt but one of each call that keys in two numbers that nobody has."""
    twice = [("follow-up-ask", UNKNOWN)] * 2
    return [asterisk.dial(("main-menu", "2"), *twice, caller_id=caller_id).prompts[-2] for _ in range(calls)]


def test_eleventh_wrong_number_of_a_caller_is_not_looked_up(asterisk: FakeAsterisk, own: Registration):
    assert guess_wrong(asterisk, 5, caller_id=STRANGER) == ["ticket-invalid"] * 5

    right = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id=STRANGER)
    assert right.prompts == [*ASKED, "too-many-guesses", "goodbye"]
    assert right.finished


def test_guesses_of_one_caller_cost_no_other(asterisk: FakeAsterisk, own: Registration):
    guess_wrong(asterisk, 5, caller_id=STRANGER)

    for other in ("09138888888", ""):
        heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id=other)
        assert heard.prompts == [*ASKED, *WAITS, "goodbye"]


def test_right_numbers_cost_no_guess(asterisk: FakeAsterisk, own: Registration):
    for _ in range(12):
        heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id=STRANGER)
        assert heard.prompts == [*ASKED, *WAITS, "goodbye"]


def test_slips_that_the_check_digit_catches_cost_no_guess(asterisk: FakeAsterisk, own: Registration):
    for _ in range(5):
        asterisk.dial(("main-menu", "2"), *[("follow-up-ask", "1#")] * 3, caller_id=STRANGER)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id=STRANGER)
    assert heard.prompts == [*ASKED, *WAITS, "goodbye"]


def test_withheld_numbers_share_a_generous_limit(asterisk: FakeAsterisk, own: Registration):
    assert set(guess_wrong(asterisk, 30, caller_id="")) == {"ticket-invalid"}

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id="")
    assert heard.prompts == [*ASKED, "too-many-guesses", "goodbye"]


def test_0_after_too_many_wrong_numbers_reaches_the_operators(asterisk: FakeAsterisk, own: Registration):
    guess_wrong(asterisk, 5, caller_id=STRANGER)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-ask", TICKET), ("too-many-guesses", "0"), ("operator-choice", "#")),
        caller_id=STRANGER,
    )
    assert heard.prompts[4:] == [
        *("too-many-guesses", "operator-busy", "ahead-none", "operator-choice", "operator-registered"),
        "goodbye",
    ]


def test_star_within_a_ticket_number_begins_it_again(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", "999*"), ("after follow-up-ask", TICKET))

    assert heard.prompts == [
        *ASKED,
        "follow-up-ask",
        *WAITS,
        "goodbye",
    ]


def test_key_0_instead_of_a_ticket_reaches_the_operators(asterisk: FakeAsterisk):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", "0#"), ("operator-choice", "#"))

    assert heard.prompts == [
        *ASKED,
        "operator-busy",
        "ahead-none",
        "operator-choice",
        "operator-registered",
        "goodbye",
    ]


def test_a_stranger_with_the_ticket_hears_no_number(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", TICKET), caller_id="09139999999")

    assert heard.prompts[-4:] == [*WAITS, "goodbye"]
    number = set(list_clips("fa", "confirm-number", number=numbers.format_national(own.number)))
    ahead = set(list_clips("fa", "ahead-some", ahead=2))
    assert not (number - ahead) & set(heard.clips), "no part of a number, and no office"
    assert not [clip for clip in heard.clips if clip.startswith("office-")]


@pytest.mark.parametrize("key", "12345")
def test_a_stranger_with_the_ticket_can_change_nothing(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, key: str
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-ask", TICKET), ("status-waiting", key), ("ahead-some", key)),
        caller_id="09139999999",
    )

    assert heard.prompts == [*ASKED, *WAITS, "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING


# --- the owner's menu ---


def test_the_owners_menu_repeats_takes_mistakes_and_ends(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "*"), ("follow-up-menu", "6"), ("follow-up-menu", "8")),
        ("follow-up-menu", "7"),
        caller_id=own.number,
    )

    asked = CHOICES
    again = [*asked, "wrong-key"]
    assert heard.prompts[:-4] == [*OWNER, *asked, *again, *again, *asked]
    assert heard.prompts[-4] == "operator-busy"


# --- what it costs ---


def test_follow_up_takes_two_transactions_none_while_speaking(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    begun = transactions(engine)
    in_use_while_speaking: set[int] = set()

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-ask", TICKET)),
        every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()),
    )

    assert heard.finished
    assert len(begun) == 2  # who calls, and the ticket
    assert in_use_while_speaking == {0}


def test_database_failure_apologises_and_spares_the_next_call(
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
@pytest.mark.parametrize("moment", ["follow-up-ask", "after follow-up-ask", *WAITS])
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


@hypothesis(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
