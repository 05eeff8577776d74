"""A dialer that calls ahead for a desk that serves a round, beside an operator."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Callback, Desk, PlacedCall, Round, User
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import claims, round_statistics, screening, serving, transitions
from hotline.rounds import planning
from settings import Settings
from tests import factories as make
from tests.dialer.office import DESK_CHANNEL, LONG_AGO, Office
from tests.kit.fake_manager import FakeManager

C = CallbackState
OPERATOR, OPERATOR_CHANNEL = 3, "PJSIP/desk-3-00000023"
OURS = "Local/x@dial-00000001;1"


class Hall(Office):
    """An office whose first desk serves a round with a line; an operator sits at the third."""

    def __init__(self, settings: Settings, engine: Engine, manager: FakeManager) -> None:
        super().__init__(settings, engine, manager)
        self.wanted = 0
        with writing(engine) as session:
            round_ = make.a_round(session)
            self.round_id = round_.id
            self.line = [r.id for r in make.some_registrations(session, round_, 6)]
            make.a_user(session, make.a_desk(session))
            serving.serve(session, session.get_one(Desk, 1), round_.id, settings)
        manager.channels["desk.3"] = {"Channel": OPERATOR_CHANNEL, "Application": "ConfBridge"}
        self.until(self.ami.connected.is_set)

    def calls_wanted(self, session: object, round_: Round, *_: object) -> int:
        return self.wanted if round_.id == self.round_id else 0

    # --- what happens ---

    def dials(self) -> str:
        """The next citizen of the line is called ahead."""
        before = len(self.manager.named("Originate"))
        self.wanted = 1
        while len(self.manager.named("Originate")) == before:
            self.step()
            taken = any(c.placed_at is None for c in self.live()) or len(self.live()) > before
            self.wanted = 0 if taken else 1  # one that a cap refused is gone again: the next one
        self.wanted = 0
        return self.manager.named("Originate")[before]["ChannelId"]

    def brings(self, to: CallbackState = C.WAITING, *, desk: int = 1, token: str = "") -> str:
        """A citizen is called ahead, if not `token`'s, and comes so far."""
        token = token or self.dials()
        steps: list[tuple[CallbackState, Callable[[], object]]] = [
            (C.RINGING, lambda: self.manager.ringing(token)),
            (C.ANSWERED, lambda: self.manager.stage(token, "answered", "AGI")),
            (C.WAITING, lambda: self.manager.stage(token, "confirmed", "BridgeWait")),
        ]
        for state, happens in steps:
            if self.state(token) is to:
                return token
            happens()
            self.until(lambda state=state: self.state(token) is state)
        if to is C.SCREENING:
            self.screens(token)
            self.until(lambda: (token, "screening", str(OPERATOR)) in self.moved())
            self.manager.joins(token, OURS, f"desk-{OPERATOR}", "screening")
            self.until_at_rest()
        if to is C.TALKING:
            self.asks_next(desk)
            self.enters(token, desk)
        return token

    def calls_by_hand(self) -> str:
        """The operator takes the next citizen and has them called."""
        with writing(self.engine) as session:
            user = session.scalars(select(User).where(User.desk_id == OPERATOR)).one()
            taken = claims.claim(session, round_id=self.round_id, desk_id=OPERATOR, user_id=user.id)
            assert taken
            transitions.ask_call(session, taken, self._settings)
        self.until(lambda: taken.token in self.manager.channels)
        return taken.token

    def enters(self, token: str, desk: int = 1) -> None:
        """The citizen comes into the desk's room, to speak."""
        self.until(lambda: (token, "room", str(desk)) in self.moved())
        self.manager.joins(token, OURS, f"desk-{desk}")
        self.until(lambda: self.state(token) is C.TALKING)

    def asks_next(self, desk: int = 1, after: str | None = None) -> Callback | None:
        with writing(self.engine) as session:
            ended = transitions.find_by_token(session, after).id if after else None  # type: ignore[union-attr]
            at = session.get_one(Desk, desk)
            return serving.ask_next(session, at, ended, self._settings, confirmed=True)

    def parts(self, token: str) -> None:
        """The citizen, whose conversation is over, is taken out of the room."""
        self.until(lambda: (token, "parting", "s") in self.moved())
        self.manager.stage(token, "parting", "Wait")

    def screens(self, token: str) -> None:
        with writing(self.engine) as session:
            callback, desk = transitions.find_by_token(session, token), session.get_one(Desk, OPERATOR)
            assert callback is not None
            screening.screen(session, callback, desk)

    def hands_over(self, token: str) -> None:
        with writing(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback is not None
            screening.hand_over(session, callback)

    def ends_round(self) -> None:
        with writing(self.engine) as session:
            planning.end(session, session.get_one(Round, self.round_id), who="somebody", reason="")

    def presses(self, key: str, channel: str = DESK_CHANNEL) -> None:
        self.manager.event("UserEvent", UserEvent="HotlineKey", Key=key, Channel=channel, Uniqueid="desk.1")
        self.until_at_rest()

    def thinks(self) -> None:
        """The dialer has looked once more whether somebody is to be called, and called them."""
        self._dialer._call_ahead.keep_ready()
        self.until_at_rest()

    # --- what is so ---

    def called(self) -> list[str]:
        """The tokens of all citizens' calls that Asterisk was asked for, in their order."""
        return [o["ChannelId"] for o in self.manager.named("Originate")]

    def later(self, token: str, **moments: timedelta) -> None:
        """Move these moments of the callback into the past; the dialer has not seen it before."""
        callback = self.callback(token)
        self.change(token, **{name: getattr(callback, name) - passed for name, passed in moments.items()})
        self._dialer._call_ahead._ages = round_statistics.Ages()

    def live(self) -> list[Callback]:
        with reading(self.engine) as session:
            return list(session.scalars(select(Callback).where(Callback.state != C.CLOSED)).all())

    def desk(self, desk: int = 1) -> Desk:
        with reading(self.engine) as session:
            return session.get_one(Desk, desk)

    def wants(self, desk: int = 1) -> bool:
        return self.desk(desk).next_asked_at is not None

    def moved(self) -> list[tuple[str, str, str]]:
        return [(r["Channel"], r["Context"], r["Exten"]) for r in self.manager.named("Redirect")]

    def ended_with(self, token: str) -> tuple[Outcome | None, RegistrationState, int]:
        callback = self.callback(token)
        return callback.outcome, callback.registration.state, callback.registration.attempts

    def aged(self, token: str) -> None:
        """It was placed some minutes ago."""
        at = self.callback(token).claimed_at - LONG_AGO
        self.change(token, called_at=at, placed_at=at)
        with writing(self.engine) as session:
            session.get_one(PlacedCall, token).at = at
