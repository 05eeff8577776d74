"""The call that confirms a keyed-in number: whoever picks up decides, and nobody else can."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Confirmation, ConfirmationKind, Registration, Round
from db.states import RegistrationState
from hotline.line import confirmation_calls, confirmations, registration
from hotline.line.registration import register
from prompts.catalogue import list_clips
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what is kept is shown in test_confirmations

INTRO = ["HOTLINE_LANGUAGE=fa", "confirm-call-intro"]
ASKED = [*INTRO, "confirm-call-press-one"]
PLACE = ["ticket-again", "ahead-none", "will-call", "confirm-call-goodbye"]
DONE = ["confirm-call-done", *PLACE]
REFUSED = ["confirm-call-refused", "confirm-call-goodbye"]
END = "HOTLINE_FINISHED=1"
NEW = "+989137654321"


@dataclass
class Placed:
    """A call to the owner of a number, about what somebody asked for."""

    engine: Engine
    id: int
    token: str

    def place(self) -> Registration:
        with reading(self.engine) as session:
            return session.get_one(Registration, self.id)

    def state(self) -> RegistrationState:
        return self.place().state


@pytest.fixture
def placed(engine: Engine) -> Placed:
    return place(engine, "fa")


def place(engine: Engine, language: str) -> Placed:
    with writing(engine) as session:
        round_ = make.a_round(session)
        return call_about(engine, session, make.keyed_in(session, round_, language=language).id)


def call_about(engine: Engine, session: Session, id_: int) -> Placed:
    session.get_one(Confirmation, id_).not_before = now(session)
    session.flush()
    confirmation = confirmation_calls.take_up(session, id_)
    assert confirmation and confirmation.token and confirmation.registration_id
    return Placed(engine, confirmation.registration_id, confirmation.token)


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Answer as the person who picks up at that number."""
    return asterisk.dial(*steps, script="confirm", channel_id=token, caller_id="137")


@pytest.mark.parametrize("moment", ["confirm-call-press-one", "after confirm-call-press-one"])
def test_a_1_puts_the_registration_into_the_line(asterisk: FakeAsterisk, placed: Placed, moment: str):
    heard = answer(asterisk, placed.token, (moment, "1"))

    assert heard.order[-6:] == [*DONE, END]
    assert heard.said("confirm-call-done", ticket=placed.place().ticket)
    assert placed.state() is RegistrationState.WAITING


def test_early_key_1_only_ends_the_introduction(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token, ("confirm-call-intro", "1"), ("confirm-call-press-one", "2"))

    assert "confirm-call-refused" in heard.prompts
    assert placed.state() is RegistrationState.CANCELLED


def test_the_owner_hears_with_whom_they_are_to_speak(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token, ("confirm-call-press-one", "2"))

    assert heard.said("confirm-call-intro", office="office-mayor")


def test_the_ticket_is_said_once_it_is_certain(asterisk: FakeAsterisk, placed: Placed):
    states: list[RegistrationState] = []

    heard = answer(
        *(asterisk, placed.token, ("confirm-call-press-one", "1")),
        ("confirm-call-done", lambda: states.append(placed.state())),
    )

    assert states == [RegistrationState.WAITING]
    ticket = set(list_clips("fa", "ticket-again", ticket=placed.place().ticket))
    before = heard.clips[: heard.clips.index("confirm-call-done.1")]
    assert not [clip for clip in before if clip in ticket and clip.startswith("digit-")]


def test_a_2_cancels_it(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token, ("confirm-call-press-one", "2"))

    assert heard.order == [*ASKED, *REFUSED, END]
    assert placed.state() is RegistrationState.CANCELLED


def test_silence_decides_nothing(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token)

    assert heard.order[:4] == [*ASKED, "no-key-again"]
    assert heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("key", "03456789#")
def test_one_wrong_key_is_repeated_without_operators(asterisk: FakeAsterisk, placed: Placed, key: str):
    heard = answer(asterisk, placed.token, ("confirm-call-press-one", key), ("confirm-call-press-one", "1"))

    assert heard.order == [*ASKED, "wrong-key", "confirm-call-press-one", *DONE, END]
    assert placed.state() is RegistrationState.WAITING


def test_the_call_is_in_the_language_of_the_registration(asterisk: FakeAsterisk, engine: Engine):
    english = place(engine, "en")

    heard = answer(asterisk, english.token, ("confirm-call-press-one", "1"))

    assert heard.languages == {"en"}
    assert heard.variables["HOTLINE_LANGUAGE"] == "en"


@pytest.mark.parametrize("stranger", ["confirm-" + "f" * 32, "1700000000.17", "", "confirm-' OR 1=1 --"])
def test_a_channel_that_nobody_placed_decides_nothing(
    asterisk: FakeAsterisk, placed: Placed, stranger: str, caplog: pytest.LogCaptureFixture
):
    heard = asterisk.dial(script="confirm", agi_uniqueid=stranger)

    assert heard.prompts == [] and not heard.finished
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert placed.state() is RegistrationState.UNCONFIRMED


def test_answer_after_our_end_of_the_call_changes_nothing(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    def end() -> None:
        with writing(engine) as session:
            confirmation_calls.record_end(session, placed.token)

    heard = answer(
        asterisk, placed.token, ("confirm-call-press-one", end), ("after confirm-call-press-one", "1")
    )

    assert heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(
    "moment",
    ["confirm-call-intro", "confirm-call-press-one", "after confirm-call-press-one", "no-key-again"],
)
def test_who_hangs_up_decides_nothing(asterisk: FakeAsterisk, placed: Placed, moment: str, how: End):
    heard = answer(asterisk, placed.token, (moment, how))

    assert heard.order[-1] == moment.removeprefix("after ")
    assert not heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("key", "12")
def test_who_hangs_up_after_the_key_has_decided(asterisk: FakeAsterisk, placed: Placed, key: str):
    said = {"1": "confirm-call-done", "2": "confirm-call-refused"}[key]

    answer(asterisk, placed.token, ("confirm-call-press-one", key), (said, HANG_UP))

    assert placed.state() is not RegistrationState.UNCONFIRMED


def test_a_round_that_is_full_meanwhile_is_told_kindly(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    with writing(engine) as session:
        round_ = session.get_one(Round, placed.place().round_id)
        round_.capacity = 1
        make.a_registration(session, round_)

    heard = answer(asterisk, placed.token, ("confirm-call-press-one", "1"))

    assert heard.order == [*ASKED, "confirm-call-full", "confirm-call-goodbye", END]
    assert placed.state() is RegistrationState.CANCELLED


def test_confirmation_of_a_place_since_taken_tells_its_ticket(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    with writing(engine) as session:
        register(session, round_id=placed.place().round_id, number=placed.place().number)

    heard = answer(asterisk, placed.token, ("confirm-call-press-one", "1"))

    assert heard.said("confirm-call-done", ticket=placed.place().ticket)


# --- another number for a place ---


@pytest.fixture
def moves(engine: Engine) -> Placed:
    with writing(engine) as session:
        own = make.a_registration(session, make.a_round(session))
        agreed = confirmations.ask_number(session, own.id, NEW, per_day=3)
        agreed.agreed, agreed.decided_at = True, now(session)
        session.flush()
        return call_about(engine, session, confirmations.ask_new_number(session, own, NEW).id)


def test_the_owner_of_another_number_agrees_and_hears_the_ticket(asterisk: FakeAsterisk, moves: Placed):
    heard = answer(asterisk, moves.token, ("confirm-call-press-one", "1"))

    assert heard.order == [
        *("HOTLINE_LANGUAGE=fa", "confirm-number-intro", "confirm-call-press-one", "confirm-number-done"),
        *(*PLACE, END),
    ]
    assert heard.said("confirm-number-done", ticket=moves.place().ticket)
    assert moves.place().number == NEW


def test_the_owner_of_another_number_declines(asterisk: FakeAsterisk, moves: Placed):
    heard = answer(asterisk, moves.token, ("confirm-call-press-one", "2"))

    assert heard.prompts[-2:] == ["confirm-number-refused", "confirm-call-goodbye"]
    assert moves.place().number != NEW


def test_owner_with_a_place_hears_that_the_number_is_taken(
    asterisk: FakeAsterisk, engine: Engine, moves: Placed
):
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, moves.place().round_id), number=NEW)

    heard = answer(asterisk, moves.token, ("confirm-call-press-one", "1"))

    assert heard.prompts[-2:] == ["confirm-number-taken", "confirm-call-goodbye"]
    assert moves.place().number != NEW


# --- the number that a place is to leave ---


@pytest.fixture
def leaves(engine: Engine) -> Placed:
    """The call to the present number of a place that is to be called at another one."""
    with writing(engine) as session:
        own = make.a_registration(session, make.a_round(session))
        return call_about(engine, session, confirmations.ask_number(session, own.id, NEW, per_day=3).id)


def calls_to(engine: Engine, number: str) -> list[ConfirmationKind]:
    with reading(engine) as session:
        return list(session.scalars(select(Confirmation.kind).where(Confirmation.number == number)))


def test_present_number_agrees_and_the_new_one_is_called(
    asterisk: FakeAsterisk, engine: Engine, leaves: Placed
):
    heard = answer(asterisk, leaves.token, ("confirm-move-press-one", "1"))

    assert heard.order == [
        *("HOTLINE_LANGUAGE=fa", "confirm-move-intro", "confirm-move-press-one"),
        *("change-number-asked", "confirm-call-goodbye", END),
    ]
    assert heard.said("confirm-move-intro", office="office-mayor", number="09137654321")
    assert calls_to(engine, NEW) == [ConfirmationKind.NUMBER]
    assert leaves.place().number != NEW, "until it agrees, too"


@pytest.mark.parametrize("steps", [[("confirm-move-press-one", "2")], []])
def test_present_number_that_does_not_agree_keeps_the_place(
    asterisk: FakeAsterisk, engine: Engine, leaves: Placed, steps: list[tuple[str, Deed]]
):
    heard = answer(asterisk, leaves.token, *steps)

    assert heard.prompts[-2:] == ["number-kept", "confirm-call-goodbye"]
    assert calls_to(engine, NEW) == []


def test_no_at_the_present_number_leaves_it_open_to_others(
    asterisk: FakeAsterisk, engine: Engine, leaves: Placed
):
    answer(asterisk, leaves.token, ("confirm-move-press-one", "2"))

    with writing(engine) as session:
        assert not confirmations.may_not_call(session, leaves.place().number)


def test_place_that_is_called_at_that_moment_does_not_move(
    asterisk: FakeAsterisk, engine: Engine, leaves: Placed
):
    with writing(engine) as session:
        session.get_one(Registration, leaves.id).state = RegistrationState.CALLING

    heard = answer(asterisk, leaves.token, ("confirm-move-press-one", "1"))

    assert heard.prompts[-2:] == ["confirm-call-too-late", "confirm-call-goodbye"]
    assert calls_to(engine, NEW) == []


@pytest.mark.parametrize(("key", "said"), [("1", "change-number-asked"), ("2", "number-kept")])
def test_present_number_is_not_asked_again_by_the_next_script(
    asterisk: FakeAsterisk, engine: Engine, leaves: Placed, key: str, said: str
):
    heard = broke_off(asterisk, leaves, "confirm-move-press-one", key)

    assert heard.prompts == [said, "confirm-call-goodbye"]
    assert calls_to(engine, NEW) == [ConfirmationKind.NUMBER] * (key == "1")


# --- giving a place up ---


@pytest.fixture
def gives_up(engine: Engine) -> Placed:
    with writing(engine) as session:
        own = make.a_registration(session, make.a_round(session))
        return call_about(engine, session, confirmations.ask_cancellation(session, own.id))


@pytest.mark.parametrize(
    ("key", "said", "after"),
    [
        ("1", "cancelled-now", RegistrationState.CANCELLED),
        ("2", "not-cancelled", RegistrationState.WAITING),
    ],
)
def test_who_is_called_about_cancelling_decides_with_a_key(
    asterisk: FakeAsterisk, gives_up: Placed, key: str, said: str, after: RegistrationState
):
    heard = answer(asterisk, gives_up.token, ("confirm-cancel-press-one", key))

    assert heard.prompts == ["confirm-cancel-intro", "confirm-cancel-press-one", said, "confirm-call-goodbye"]
    assert gives_up.state() is after


def test_silence_keeps_the_place_and_says_so(asterisk: FakeAsterisk, gives_up: Placed):
    heard = answer(asterisk, gives_up.token)

    assert heard.prompts[-2:] == ["not-cancelled", "confirm-call-goodbye"]
    assert heard.finished
    assert gives_up.state() is RegistrationState.WAITING


def test_silence_about_a_place_cancelled_meanwhile_says_so(
    asterisk: FakeAsterisk, engine: Engine, gives_up: Placed
):
    def cancel() -> None:
        with writing(engine) as session:
            registration.cancel(session, gives_up.id)

    heard = answer(asterisk, gives_up.token, ("confirm-cancel-press-one", cancel))

    assert heard.prompts[-2:] == ["status-cancelled", "confirm-call-goodbye"]


def test_a_place_that_is_called_at_that_moment_is_not_given_up(
    asterisk: FakeAsterisk, engine: Engine, gives_up: Placed
):
    with writing(engine) as session:
        session.get_one(Registration, gives_up.id).state = RegistrationState.CALLING

    heard = answer(asterisk, gives_up.token, ("confirm-cancel-press-one", "1"))

    assert heard.prompts[-2:] == ["confirm-call-too-late", "confirm-call-goodbye"]
    assert gives_up.state() is RegistrationState.CALLING


# --- a script that broke off ---


def broke_off(asterisk: FakeAsterisk, placed: Placed, question: str, key: str) -> Heard:
    """Return the next script's prompts after one that kept the key and then broke off."""
    answer(asterisk, placed.token, (question, key))
    return asterisk.dial(script="confirm", channel_id=placed.token, caller_id="137", again="fa")


@pytest.mark.parametrize(("key", "rest"), [("1", DONE), ("2", REFUSED)])
def test_restarted_script_tells_the_outcome_without_asking(
    asterisk: FakeAsterisk, placed: Placed, key: str, rest: list[str]
):
    heard = broke_off(asterisk, placed, "confirm-call-press-one", key)

    assert heard.order == ["HOTLINE_LANGUAGE=fa", *rest, END]
    assert placed.state() is (RegistrationState.WAITING if key == "1" else RegistrationState.CANCELLED)


def test_restarted_script_tells_of_a_full_round(asterisk: FakeAsterisk, engine: Engine, placed: Placed):
    with writing(engine) as session:
        round_ = session.get_one(Round, placed.place().round_id)
        round_.capacity = 1
        make.a_registration(session, round_)

    heard = broke_off(asterisk, placed, "confirm-call-press-one", "1")

    assert heard.prompts == ["confirm-call-full", "confirm-call-goodbye"]


@pytest.mark.parametrize(("key", "said"), [("1", "confirm-number-done"), ("2", "confirm-number-refused")])
def test_restarted_script_does_not_ask_the_new_owner_again(
    asterisk: FakeAsterisk, moves: Placed, key: str, said: str
):
    heard = broke_off(asterisk, moves, "confirm-call-press-one", key)

    assert heard.prompts[0] == said
    assert (moves.place().number == NEW) is (key == "1")


def test_restarted_script_tells_a_failed_move_is_too_late(
    asterisk: FakeAsterisk, engine: Engine, moves: Placed
):
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, moves.place().round_id), number=NEW)

    heard = broke_off(asterisk, moves, "confirm-call-press-one", "1")

    assert heard.prompts == ["confirm-call-too-late", "confirm-call-goodbye"]


@pytest.mark.parametrize(("key", "said"), [("1", "cancelled-now"), ("2", "not-cancelled")])
def test_restarted_script_does_not_ask_about_cancelling_again(
    asterisk: FakeAsterisk, gives_up: Placed, key: str, said: str
):
    heard = broke_off(asterisk, gives_up, "confirm-cancel-press-one", key)

    assert heard.prompts == [said, "confirm-call-goodbye"]


def test_restarted_script_tells_a_called_place_is_too_late(
    asterisk: FakeAsterisk, engine: Engine, gives_up: Placed
):
    with writing(engine) as session:
        session.get_one(Registration, gives_up.id).state = RegistrationState.CALLING

    heard = broke_off(asterisk, gives_up, "confirm-cancel-press-one", "1")

    assert heard.prompts == ["confirm-call-too-late", "confirm-call-goodbye"]


def test_it_costs_two_transactions_and_none_while_anybody_speaks(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(
        ("confirm-call-press-one", "1"),
        script="confirm",
        channel_id=placed.token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert len(begun) == 2
    assert in_use == {0}
