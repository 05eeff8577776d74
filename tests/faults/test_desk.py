"""The desk fails in mid-conversation: the citizen stays on the line, and is with the desk again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import Callback, Event
from db.states import Outcome, RegistrationState
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import System

CITIZEN_HZ, DESK_HZ, OTHER_HZ = 440, 1000, 660
HEARD = 0.5
"""The share of half a second that is the tone of the only one who speaks."""
_MUSIC_PIECE_S = 1.0


class Conversation:
    """A citizen and a desk that speak with each other, in a recorded round, for more than half a minute."""

    def __init__(self, system: System, round_id: int, folder: Path, stack: ExitStack) -> None:
        self.system, self.round_id, self._folder, self._stack = system, round_id, folder, stack
        self.desk, self.number = system.operator(), system.number()
        assert self.desk.http.put("/desk/round", json={"round_id": round_id}).status_code == 200
        self.phone = self.desk_dials()
        self.citizen = self._rings_at(self.number)
        self.callback = self._next(None)
        self.system.talks_for(self.callback, 40)
        self.until_both_hear(DESK_HZ)

    def _rings_at(self, number: str) -> Caller:
        tone = a_tone(self._folder, CITIZEN_HZ)
        caller = Caller(self.system, number, port=self.system.trunk_port, sound=tone)
        citizen = self._stack.enter_context(caller)
        self.system.register(self.round_id, number)
        return citizen

    def _next(self, after: int | None) -> int:
        asked = self.desk.http.post("/desk/next", json={"after": after})
        assert asked.status_code == 200, asked.text
        self.citizen.wait_for_call(30)
        self.citizen.answer()
        self.citizen.at("office-mayor", "1")
        until(lambda: self.me("callback", "state") == "talking", "they speak", 20)
        return int(str(self.me("callback", "id")))

    def desk_dials(self, hz: int = DESK_HZ) -> Phone:
        """A phone of the desk comes into its room."""
        account = Account(*self.desk.phone_account)
        phone = self._stack.enter_context(Phone(account=account, sound=a_tone(self._folder, hz)))
        phone.dial(f"sip:{ROOM}@{self.system.settings.sip}")
        phone.wait_for("established")
        until(self.desk.phone_connected, "the desk's phone is in its room")
        return phone

    def me(self, what: str, field: str) -> object:
        """A field of what the desk has."""
        return (self.desk.http.get("/me").json()[what] or {}).get(field)

    def state(self) -> str:
        return str(self.system.callback(self.callback).state)

    def until_both_hear(self, hz: int) -> None:
        """Until each hears the other in what has come in the last second."""
        for who, said in ((self.citizen, hz), (self.phone, CITIZEN_HZ)):
            mark = who.recording().seconds
            sound.until_heard(
                lambda who=who, said=said, mark=mark: (
                    sound.tone_level(who.recording().part(mark), said) > HEARD
                ),
                f"{who.number} hears {said} Hz",
                20,
            )

    def hears_music(self) -> None:
        """Until the citizen hears the music on hold."""
        path = self.system.settings.prompts_dir / "moh" / "hold.alaw"
        whole = sound.load(path)
        pieces = {
            f"{start}": whole.part(start, start + _MUSIC_PIECE_S)
            for start in range(0, int(whole.seconds) - 1, 2)
        }
        mark = self.citizen.recording().seconds
        sound.until_heard(
            lambda: sound.heard(self.citizen.recording().part(mark), pieces), "the citizen hears music", 20
        )

    def changes(self) -> list[str]:
        """Return the states of the callback, in order."""
        with reading(self.system.engine) as session:
            mine = select(Event.what).where(Event.callback_id == self.callback, Event.kind == "callback")
            return list(session.scalars(mine.order_by(Event.id)))

    def record(self) -> Path:
        """Return the path of the recording."""
        return self.system.settings.recordings_dir / f"{self.system.callback(self.callback).token}.wav"

    def was_one_talk_that_cost_nothing(self) -> None:
        """One callback, one recording with what was said before and after, no attempt used."""
        registrations = self.system.registrations(self.round_id)
        assert [(r.state, r.attempts) for r in registrations] == [(RegistrationState.CALLING, 0)]
        with reading(self.system.engine) as session:
            of_round = select(Callback.id).where(Callback.round_id == self.round_id)
            assert session.scalars(of_round).all() == [self.callback]
        assert self.citizen.rang == 1

    def ends_as_reached(self) -> None:
        """The citizen hangs up, and «next» says what it was."""
        self.citizen.hangup()
        self.desk.wait_for(self.callback, "ended")
        assert self.me("callback", "default_outcome") == "reached"
        assert self.desk.http.post("/desk/next", json={"after": self.callback}).status_code == 200
        assert self.system.callback(self.callback).outcome is Outcome.REACHED


@pytest.fixture
def talk(system: System, tmp_path: Path) -> Iterator[Conversation]:
    with system.only_round(recorded=True) as round_id, ExitStack() as stack:
        yield Conversation(system, round_id, tmp_path, stack)


def _hangs_up(phone: Phone) -> None:
    phone.hangup()


def _dies(phone: Phone) -> None:
    phone.die()


def _freezes(phone: Phone) -> None:
    phone.freeze()


@pytest.mark.parametrize("goes", [_hangs_up, _dies, _freezes])
def test_second_phone_of_the_desk_resumes_the_conversation(
    talk: Conversation, goes: Callable[[Phone], None]
) -> None:
    goes(talk.phone)
    talk.desk.wait_for(talk.callback, "held", timeout=30)
    talk.citizen.at("callback-held")
    talk.hears_music()
    assert talk.me("callback", "state") == "held"
    before = talk.record().stat().st_size

    talk.phone = talk.desk_dials(OTHER_HZ)
    talk.desk.wait_for(talk.callback, "talking")
    talk.until_both_hear(OTHER_HZ)
    talk.was_one_talk_that_cost_nothing()
    assert talk.changes()[-2:] == ["held", "talking"]
    talk.ends_as_reached()
    recorded = sound.load(talk.record())
    assert talk.record().stat().st_size > before
    assert sound.tone_level(recorded, DESK_HZ) > HEARD / 2
    assert sound.tone_level(recorded, OTHER_HZ) > HEARD / 2


def test_newer_phone_of_the_desk_replaces_the_first_at_once(
    talk: Conversation,
) -> None:
    first = talk.phone
    talk.phone = talk.desk_dials(OTHER_HZ)
    first.wait_for("closed")
    talk.until_both_hear(OTHER_HZ)
    assert "held" not in talk.changes(), "the citizen has not noticed"
    assert talk.desk.phone_connected()
    talk.was_one_talk_that_cost_nothing()
    talk.ends_as_reached()


def test_citizen_on_hold_hears_music_until_the_desk_returns(
    talk: Conversation,
) -> None:
    hold = f"/callbacks/{talk.callback}/hold"
    for _ in range(2):
        assert talk.desk.http.put(hold).status_code == 202
    talk.hears_music()
    talk.system.kill("dialer")
    talk.system.wait_healthy()
    talk.hears_music()
    assert talk.state() == "held", "a desk's phone that is there does not end the wait"
    for _ in range(2):
        assert talk.desk.http.delete(hold).status_code == 202
    talk.desk.wait_for(talk.callback, "talking")
    talk.until_both_hear(DESK_HZ)
    talk.was_one_talk_that_cost_nothing()
    talk.ends_as_reached()


def test_hold_timeout_returns_the_citizen_to_the_desk(
    talk: Conversation,
) -> None:
    assert talk.desk.http.put(f"/callbacks/{talk.callback}/hold").status_code == 202
    talk.hears_music()
    with writing(talk.system.engine) as session:
        session.get_one(Callback, talk.callback).held_until = now(session)
    talk.desk.wait_for(talk.callback, "talking")
    talk.until_both_hear(DESK_HZ)
    talk.ends_as_reached()


def test_absent_desk_releases_its_citizen_and_may_call_again(
    talk: Conversation,
) -> None:
    talk.phone.hangup()
    talk.desk.wait_for(talk.callback, "held")
    talk.citizen.at("callback-held")
    with writing(talk.system.engine) as session:
        callback = session.get_one(Callback, talk.callback)
        assert callback.held_until is not None
        left = callback.held_until - now(session)
        assert timedelta(seconds=40) < left <= timedelta(seconds=60)
        callback.held_until = now(session)
    talk.citizen.at("callback-held-over")
    talk.desk.wait_for(talk.callback, "closed")
    talk.citizen.wait_for("closed")
    place = talk.system.registrations(talk.round_id)[0]
    assert (place.state, place.attempts) == (RegistrationState.WAITING, 0)
    assert talk.system.callback(talk.callback).outcome is Outcome.CALL_AGAIN

    talk.phone = talk.desk_dials()
    assert talk.me("cut_off", "id") == talk.callback
    again = talk.desk.http.post(f"/callbacks/{talk.callback}/call-again")
    assert again.status_code == 202, again.text
    talk.citizen.wait_for_call(30)
    talk.citizen.answer()
    talk.citizen.at("office-mayor", "1")
    talk.desk.wait_for(int(again.json()["id"]), "talking")
    talk.until_both_hear(DESK_HZ)


def test_undone_end_resumes_the_conversation_unrecorded(
    talk: Conversation,
) -> None:
    assert talk.desk.http.post("/desk/next", json={"after": talk.callback}).status_code == 200
    assert talk.state() == "parting"
    assert talk.me("parting", "id") == talk.callback
    undone = talk.desk.http.post(f"/callbacks/{talk.callback}/undo")
    assert undone.status_code == 200, undone.text
    talk.desk.wait_for(talk.callback, "talking")
    talk.until_both_hear(DESK_HZ)
    talk.was_one_talk_that_cost_nothing()

    assert talk.desk.http.post("/desk/next", json={"after": talk.callback}).status_code == 200
    talk.desk.wait_for(talk.callback, "closed")
    talk.citizen.wait_for("closed")
    assert talk.system.callback(talk.callback).outcome is Outcome.REACHED
    assert talk.changes().count("reached") == 1


def test_asterisk_killed_in_a_talk_allows_a_free_second_call(
    talk: Conversation,
) -> None:
    talk.system.kill("asterisk")
    talk.desk.wait_for(talk.callback, "ended", timeout=30)
    assert talk.me("callback", "default_outcome") == "call_again", "it was our side that cut it"
    talk.system.wait_healthy()
    talk.citizen.hangup_all()
    talk.phone = talk.desk_dials()
    again = talk.desk.http.post(f"/callbacks/{talk.callback}/call-again")
    assert again.status_code == 202, again.text
    talk.citizen.wait_for_call(30)
    assert talk.system.registrations(talk.round_id)[0].attempts == 0
