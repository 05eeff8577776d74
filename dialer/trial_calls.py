"""Places the test call that an administrator has asked for, and records its result."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import TrialCall, TrialResult
from db.states import Outcome
from dialer.ami import Ami
from dialer.caps import Caps
from dialer.outcomes import Ending, map_sip_status
from dialer.system_calls import SystemCalls
from dialplan.variables import CAPPED_CAUSE, Context, Stage
from hotline.setup import trial_calls
from hotline.trunk import call_caps
from settings import Settings

_OF_NETWORK = {
    Outcome.NO_ANSWER: TrialResult.NO_ANSWER,
    Outcome.BUSY: TrialResult.BUSY,
    Outcome.REJECTED: TrialResult.REJECTED,
    Outcome.UNREACHABLE: TrialResult.UNREACHABLE,
}
"""Results of the called telephone. Any other is the trunk's refusal, or our own fault."""


class TrialCalls(SystemCalls):
    """Test calls: one attempt, also at night, because a person waits. It may prove that a trunk is back."""

    context = Context.TRIAL

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        ami: Ami,
        caps: Caps,
        *,
        trunk_of: Callable[[str], str | None],
    ) -> None:
        super().__init__(settings, engine, ami, caps)
        self._trunk_of = trunk_of

    def place_due(self) -> None:
        """Place the test call that is due. Raises AmiError."""
        with reading(self._engine) as session:
            due = trial_calls.find_due(session)
        if due is not None:
            self._place(due)

    def _place(self, call_id: int) -> None:
        with writing(self._engine) as session:
            trial = trial_calls.take_up(session, call_id)
            if trial is None or trial.token is None:
                return
            call = call_caps.claim_call(session, trial.token, trial.number, self._settings)
            if isinstance(call, call_caps.Cap):
                down = call is call_caps.Cap.LINE_DOWN
                result = TrialResult.LINE_DOWN if down else TrialResult.HELD_BACK
                trial_calls.record_end(session, trial.token, result, cap=call.value)
                return
        self._originate(call._replace(trunks=(trial.trunk,)) if trial.trunk else call)

    def rings(self, token: str) -> None:
        """Record that the telephone rings."""
        with writing(self._engine) as session:
            trial_calls.record_ringing(session, token, self._trunk_of(token) or "")

    def came(self, token: str, stage: str) -> None:
        """Record that a person answered, or has heard the sentence."""
        with writing(self._engine) as session:
            if stage == Stage.ANSWERED:
                trial_calls.record_answer(session, token, self._trunk_of(token) or "")
            elif stage == Stage.SPOKE:
                trial_calls.record_heard(session, token)

    def said(self, token: str, trunk: str, sip: int, *, goes_on: bool) -> None:
        """Record the SIP response of this trunk, and whether the dialer tries the next trunk."""
        with writing(self._engine) as session:
            trial_calls.record_refusal(session, token, trunk, sip, goes_on=goes_on)

    def script_failed(self, token: str) -> None:
        """Record that a person answered and heard an apology."""
        with writing(self._engine) as session:
            trial_calls.record_end(session, token, TrialResult.NO_SCRIPT)

    def over(self, token: str, ending: Ending) -> None:
        """Record the result of the channel's end."""
        with writing(self._engine) as session:
            trial = trial_calls.find_by_token(session, token)
            if trial is None:
                return
            capped = ending.cause == CAPPED_CAUSE and ending.sip is None
            cap = call_caps.Cap.CHANNELS.value if capped else ""
            trial_calls.record_end(session, token, _result(trial, ending, capped=capped), cap=cap)

    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""
        return trial_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        trial = trial_calls.find_by_token(session, token)
        heard = trial is not None and trial.heard_at is not None
        unseen = TrialResult.HEARD if heard else TrialResult.UNKNOWN
        trial_calls.record_end(session, token, TrialResult.NOT_PLACED if ours else unseen)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of the calls in progress, with the time when each was placed."""
        return trial_calls.list_in_progress(session)


def _result(trial: TrialCall, ending: Ending, *, capped: bool) -> TrialResult:
    if capped:
        return TrialResult.HELD_BACK
    if trial.answered_at:
        return TrialResult.HEARD if trial.heard_at else TrialResult.LEFT
    if ending.sip is None:  # nobody told; our own ringing time may have ended it
        return TrialResult.NO_ANSWER if trial.rang_at else TrialResult.UNKNOWN
    if ending.sip == 0:
        return TrialResult.NOT_PLACED if trial.said is None else TrialResult.SILENT
    of_phone = map_sip_status(ending.sip, rang=trial.rang_at is not None)
    return _OF_NETWORK.get(of_phone, TrialResult.REFUSED)
