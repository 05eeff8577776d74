"""Waiting for the official: music, an honest estimate, and 2 for another time; mere music if it breaks."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import now, writing
from db.models import Callback, Desk, Official
from db.states import CallbackState
from hotline.callbacks import round_statistics, transitions
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, MUSIC, Deed, End, FakeAsterisk, Heard

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked simple questions

OFFICE = "office-district-7"
INTRO = ["HOTLINE_LANGUAGE=fa", "wait-intro", "wait-press-two"]
LATER = ["HOTLINE_LATER=yes", "HOTLINE_FINISHED=1"]
FOUND = "wait-soon"
"""The estimate in these tests, unless one says otherwise."""


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> dict[str, float | None]:
    """The expected waits in seconds; a test may change them."""
    told: dict[str, float | None] = {"seconds": 20.0}
    monkeypatch.setattr(round_statistics, "estimate_wait", lambda _session, _callback: told["seconds"])
    return told


@pytest.fixture
def token(engine: Engine, expected: dict[str, float | None]) -> str:
    """The token of a citizen who has pressed 1: the seventh district's manager speaks."""
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.WAITING)
        session.get_one(Desk, callback.desk_id).round_id = callback.round_id
        callback.desk_id = None
        session.execute(update(Official).values(clip=OFFICE))
        return callback.token


def wait(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Wait as the citizen until they press 2, hang up or enter a room, which is a hang-up here."""
    return asterisk.dial(*steps, script="wait", channel_id=token, caller_id="137")


def test_waiting_citizen_hears_speaker_music_and_estimates(asterisk: FakeAsterisk, token: str):
    heard = wait(asterisk, token, (MUSIC, ""), (MUSIC, ""), (MUSIC, HANG_UP))

    around = [MUSIC, FOUND, "wait-press-two"]
    assert heard.order == [*INTRO, *around, *around, MUSIC]
    assert heard.said("wait-intro", office=OFFICE)


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["wait-intro", "wait-press-two", MUSIC, FOUND])
def test_citizen_taken_or_gone_hears_no_more(
    asterisk: FakeAsterisk, token: str, moment: str, how: End, caplog: pytest.LogCaptureFixture
):
    heard = wait(asterisk, token, (moment, how))

    assert heard.order[-1] == moment
    assert heard.variables.keys() == {"HOTLINE_LANGUAGE"}
    assert not [record for record in caplog.records if record.levelname != "INFO"]


@pytest.mark.parametrize("moment", ["wait-intro", "wait-press-two", MUSIC, FOUND])
def test_who_presses_2_at_any_moment_is_called_again_later(asterisk: FakeAsterisk, token: str, moment: str):
    heard = wait(asterisk, token, (moment, "2"))

    assert heard.order[-3:] == [moment, *LATER]


@pytest.mark.parametrize("key", "013456789*#")
def test_any_other_key_changes_nothing(asterisk: FakeAsterisk, token: str, key: str):
    heard = wait(asterisk, token, ("wait-intro", key), (MUSIC, key), (FOUND, key), (MUSIC, HANG_UP))

    assert heard.order == [*INTRO, MUSIC, FOUND, "wait-press-two", MUSIC]


def test_who_waits_too_long_hears_an_apology_and_is_called_again(asterisk: FakeAsterisk, token: str):
    heard = wait(asterisk, token)

    assert heard.order == [*INTRO, *[MUSIC, FOUND, "wait-press-two"] * 19, MUSIC, "wait-too-long", *LATER]


def test_round_left_by_every_desk_ends_the_wait_in_a_minute(
    asterisk: FakeAsterisk, token: str, engine: Engine
):
    with writing(engine) as session:
        session.execute(update(Desk).values(round_id=None))

    heard = wait(asterisk, token)

    assert heard.order == [*INTRO, MUSIC, FOUND, "wait-press-two", MUSIC, "wait-too-long", *LATER]


@pytest.mark.parametrize("whose", ["a desk's", "on the line"])
def test_citizen_of_a_desk_or_on_the_line_waits_on(
    asterisk: FakeAsterisk, token: str, engine: Engine, whose: str
):
    with writing(engine) as session:
        desk = session.query(Desk).one()
        desk.round_id = None
        theirs = {"desk_id": desk.id} if whose == "a desk's" else {"on_the_line": True}
        session.execute(update(Callback).values(**theirs))

    heard = wait(asterisk, token)

    assert heard.order[-3 - 4 :] == [MUSIC, FOUND, "wait-press-two", MUSIC, "wait-too-long", *LATER]
    assert heard.order.count(MUSIC) == 20


def test_who_comes_back_from_an_operator_is_not_greeted_again(
    asterisk: FakeAsterisk, token: str, engine: Engine
):
    with writing(engine) as session:
        desk = make.a_desk(session)
        session.execute(update(Callback).values(screen_desk_id=desk.id))

    heard = wait(asterisk, token, (MUSIC, HANG_UP))

    assert heard.order == ["HOTLINE_LANGUAGE=fa", "wait-again", MUSIC]


@pytest.mark.parametrize(
    ("seconds", "prompt", "minutes"),
    [
        (None, "wait-unknown", None),
        (0.0, "wait-soon", None),
        (59.9, "wait-soon", None),
        (60.0, "wait-minute", None),
        (89.0, "wait-minute", None),
        (91.0, "wait-minutes", 2),
        (640.0, "wait-minutes", 11),
        (7000.0, "wait-minutes", 117),
    ],
)
def test_the_estimate_is_in_words(
    asterisk: FakeAsterisk,
    token: str,
    expected: dict[str, float | None],
    seconds: float | None,
    prompt: str,
    minutes: int | None,
):
    expected["seconds"] = seconds

    heard = wait(asterisk, token, (MUSIC, ""), ("wait-press-two", ""), (MUSIC, HANG_UP))

    assert heard.said(prompt, **({"minutes": minutes} if minutes else {}))


@pytest.mark.parametrize("stranger", ["callback-" + "f" * 32, "1700000000.17", "callback-' OR 1=1 --"])
def test_unknown_channel_gets_the_dialplans_music(
    asterisk: FakeAsterisk, token: str, stranger: str, caplog: pytest.LogCaptureFixture
):
    heard = asterisk.dial(script="wait", agi_uniqueid=stranger)

    assert heard.order == ["HOTLINE_FINISHED=no"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_failed_estimate_leaves_the_dialplans_music(asterisk: FakeAsterisk, token: str, engine: Engine):
    def lose() -> None:
        with writing(engine) as session:
            session.connection().exec_driver_sql("ALTER TABLE callbacks RENAME TO lost")

    heard = wait(asterisk, token, (MUSIC, lose))

    assert heard.order == [*INTRO, MUSIC, "HOTLINE_FINISHED=no"]


def test_no_transaction_is_open_while_anything_plays(asterisk: FakeAsterisk, token: str, engine: Engine):
    in_use: set[int] = set()

    asterisk.dial(
        (FOUND, HANG_UP),
        script="wait",
        channel_id=token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert in_use == {0}


class TestEstimate:
    """The rule is `pacing`'s; here is what it is asked: who waits before whom, who speaks how long."""

    @pytest.fixture
    def waiting(self, engine: Engine) -> list[str]:
        """Two citizens who wait for a served round's one desk, which speaks with a third for two minutes."""
        with writing(engine) as session:
            round_ = make.a_round(session)
            desk = make.a_desk(session)
            desk.round_id = round_.id
            at = now(session)
            states = [CallbackState.TALKING, CallbackState.WAITING, CallbackState.WAITING]
            made = make.some_registrations(session, round_, 3)
            found = [
                Callback(
                    registration=registration,
                    round_id=round_.id,
                    desk_id=desk.id if state is CallbackState.TALKING else None,
                    token=f"callback-{registration.id:032}",
                    state=state,
                    claimed_at=at,
                    talking_at=at - timedelta(minutes=2) if state is CallbackState.TALKING else None,
                )
                for state, registration in zip(states, made, strict=True)
            ]
            session.add_all(found)
            session.flush()
            return [callback.token for callback in found]

    def expects(self, engine: Engine, token: str) -> float | None:
        with writing(engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback is not None
            return round_statistics.estimate_wait(session, callback)

    def test_estimate_of_the_second_adds_one_conversation(self, engine: Engine, waiting: list[str]):
        first, second = (self.expects(engine, token) for token in waiting[1:])

        assert first is not None and 60 < first < 300
        assert second is not None and second - first > 120

    def test_while_nobody_asks_nobody_can_say(self, engine: Engine, waiting: list[str]):
        with writing(engine) as session:
            session.query(Desk).one().phone_connected = False

        assert self.expects(engine, waiting[1]) is None

    def test_who_is_with_a_desk_already_is_next(self, engine: Engine, waiting: list[str]):
        with writing(engine) as session:
            talking = transitions.find_by_token(session, waiting[0])
            assert talking is not None
            talking.state, talking.outcome = CallbackState.CLOSED, make.Outcome.REACHED
            session.flush()
            session.execute(
                update(Callback).where(Callback.token == waiting[1]).values(desk_id=talking.desk_id)
            )

        assert self.expects(engine, waiting[1]) == 0
