"""The dialer moves supervisors' phones: there and back, whatever happens meanwhile."""

import pytest

from db.engine import now, reading, writing
from db.models import Desk, Hearing, Role, User
from db.states import CallbackState, Outcome
from dialer import supervising as module
from hotline.callbacks import closing, transitions
from hotline.desks import supervising
from settings import Settings
from tests import factories as make
from tests.dialer.office import DESK_CHANNEL, OTHER_DESK_CHANNEL, Office
from tests.kit.fake_manager import FakeManager

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # a matter of Asterisk's

C, H = CallbackState, Hearing
MINE = 2


class Supervised:
    """The office's first desk speaks with a citizen; at the second sits a supervisor with a phone."""

    def __init__(self, at: Office, asterisk: FakeManager) -> None:
        self.office, self.manager = at, asterisk
        self.token = at.call(C.TALKING)
        with writing(at.engine) as session:
            self.user = make.a_user(session, session.get_one(Desk, MINE), "the-supervisor")
            self.user.role = Role.SUPERVISOR
        at.until_heard()
        asterisk.channels["desk.2"]["Context"] = "from-desk"

    def wishes(self, how: Hearing | None) -> None:
        with writing(self.office.engine) as session:
            desk = session.get_one(Desk, MINE)
            if how is None:
                supervising.stop_by(session, desk, who="the-supervisor")
            else:
                supervising.hear(session, desk, 1, how, who="the-supervisor")

    def hears(self, how: Hearing) -> None:
        """The wish comes true, and Asterisk tells so."""
        before = len(self.moves())
        self.wishes(how)
        self.office.until(lambda: len(self.moves()) > before)
        self.comes_to(how)
        self.settled()

    def comes_to(self, how: Hearing) -> None:
        joins = how in (H.JOIN, H.CONSULT)
        application = "ConfBridge" if joins else "ChanSpy"
        there = {"Context": _context(how), "Exten": "1", "Application": application}
        self.manager.channels["desk.2"] |= {"ChannelStateDesc": "Up", **there}
        told = {"UserEvent": "HotlineSupervise", "Context": _context(how), "Desk": "1"}
        self.manager.event("UserEvent", Channel=OTHER_DESK_CHANNEL, Uniqueid="desk.2", **told)
        if joins:
            self.manager.event(
                "ConfbridgeJoin", Conference="desk-1", Channel=OTHER_DESK_CHANNEL, Uniqueid="desk.2"
            )

    def comes_home(self) -> None:
        self.manager.joins("desk.2", OTHER_DESK_CHANNEL, "desk-2")
        self.manager.channels["desk.2"]["Context"] = "from-desk"
        self.settled()

    def settled(self) -> None:
        """The dialer has taken in everything that was sent, and has worked on."""
        self.office.ami.request("Ping")  # whose answer comes after all of it
        for _ in range(20):
            self.office.step()

    def moves(self) -> list[tuple[str, str]]:
        """Return the contexts to which the supervisor's phone was sent, in order."""
        sent = [a for a in self.manager.named("Redirect") if a["Channel"] == OTHER_DESK_CHANNEL]
        return [(action["Context"], action["Exten"]) for action in sent]

    def desk(self) -> Desk:
        with reading(self.office.engine) as session:
            return session.get_one(Desk, MINE)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk is asked again only where a test is about that, however slow the machine is."""
    monkeypatch.setattr(module, "_AGAIN_S", 600.0)


@pytest.fixture
def supervised(office: Office, manager: FakeManager) -> Supervised:
    return Supervised(office, manager)


def _context(how: Hearing) -> str:
    """Return the context of a supervision; a consulted person joins."""
    return f"supervise-{H.JOIN if how is H.CONSULT else how}"


@pytest.mark.parametrize("how", Hearing)
def test_supervisors_phone_is_sent_once_to_the_desk_channel(supervised: Supervised, how: Hearing) -> None:
    supervised.hears(how)
    assert supervised.moves() == [(_context(how), "1")]
    [said] = supervised.manager.named("Setvar")
    assert (said["Variable"], said["Value"]) == ("HOTLINE_HEARS", DESK_CHANNEL)
    actions = [a["Action"] for a in supervised.manager.actions if a.get("Channel") == OTHER_DESK_CHANNEL]
    assert actions == ["Setvar", "Redirect"]


def test_phone_that_does_not_arrive_is_sent_again(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.05)
    supervised.wishes(H.LISTEN)
    supervised.office.until(lambda: len(supervised.moves()) >= 2)
    assert set(supervised.moves()) == {("supervise-listen", "1")}


def test_whisper_and_stop_move_the_phone_there_and_home(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 60.0)  # however slow this machine is at the moment
    supervised.hears(H.LISTEN)
    supervised.hears(H.WHISPER)
    supervised.wishes(None)
    supervised.settled()
    supervised.comes_home()
    assert supervised.moves() == [("supervise-listen", "1"), ("supervise-whisper", "1"), ("from-desk", "1")]
    assert supervised.desk().phone_connected


def test_ended_conversation_sends_the_phone_home(
    supervised: Supervised,
) -> None:
    supervised.hears(H.JOIN)
    supervised.manager.hangs_up(supervised.token)
    supervised.office.until(lambda: len(supervised.moves()) == 2)
    assert supervised.moves()[-1] == ("from-desk", "1")
    assert supervised.desk().hears_desk_id is None


def test_supervisor_leaves_before_the_next_citizen_enters(
    supervised: Supervised,
    office: Office,
    settings: Settings,
) -> None:
    supervised.hears(H.JOIN)
    with writing(office.engine) as session:
        transitions.move(session, supervised.token, C.ENDED, hangup_asked_at=now(session))
        closing.close(session, supervised.token, Outcome.REACHED, settings, ended_at=None)
        following = make.a_callback(session, C.WAITING, session.get_one(User, office.user.id))
        following.placed_at = following.claimed_at
    supervised.manager.channels[following.token] = {
        **{"Channel": "Local/x@dial-00000009;1", "ChannelStateDesc": "Up"},
        **{"Context": "waiting", "Application": "BridgeWait"},
    }
    sent = supervised.manager.named
    office.until(lambda: sent("Hangup"))
    supervised.manager.hangs_up(supervised.token)
    office.until(lambda: following.token in [a["Channel"] for a in sent("Redirect")])
    assert [a["Context"] for a in sent("Redirect")][-2:] == ["from-desk", "room"]


@pytest.mark.parametrize("how", Hearing)
def test_new_dialer_keeps_the_supervision(supervised: Supervised, how: Hearing) -> None:
    supervised.hears(how)
    supervised.office.restart()
    supervised.settled()
    assert len(supervised.moves()) == 1
    assert (supervised.desk().phone_connected, supervised.desk().hears_how) == (True, how)


def test_phone_between_two_rooms_is_not_lost(
    supervised: Supervised,
) -> None:
    supervised.hears(H.LISTEN)
    supervised.manager.channels["desk.2"] |= {"Context": "from-desk", "Application": ""}
    supervised.office.restart()
    supervised.settled()
    assert supervised.desk().phone_connected


def test_supervision_ended_without_a_dialer_sends_the_phone_home(
    supervised: Supervised,
) -> None:
    supervised.hears(H.LISTEN)
    supervised.wishes(None)
    supervised.office.restart()
    supervised.office.until(lambda: len(supervised.moves()) == 2)
    assert supervised.moves()[-1] == ("from-desk", "1")


def test_supervisors_phone_that_hung_up_ends_the_supervision(
    supervised: Supervised,
) -> None:
    supervised.hears(H.LISTEN)
    supervised.manager.hangs_up("desk.2")
    supervised.office.until(lambda: not supervised.desk().phone_connected)
    supervised.office.until(lambda: supervised.desk().hears_desk_id is None)
    assert len(supervised.moves()) == 1


def test_unmovable_phone_does_not_stop_the_dialer(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.05)
    supervised.manager.refused["Redirect"] = "Redirect failed, channel not up."
    supervised.wishes(H.LISTEN)
    supervised.office.until(lambda: len(supervised.moves()) >= 2)
    del supervised.manager.refused["Redirect"]
    supervised.comes_to(H.LISTEN)
    supervised.settled()
    assert supervised.desk().hears_how == H.LISTEN
