"""Script of the test call that an administrator has placed: one sentence."""

from sqlalchemy import Engine

from db.engine import reading
from hotline.setup import trial_calls
from ivr.call import AGIError, Call
from settings import Settings


def run(call: Call, engine: Engine, _settings: Settings) -> None:
    """Say who calls and why, in the requested language."""
    with reading(engine) as session:
        trial = trial_calls.find_by_token(session, call.channel_id)
        if trial is None:
            raise AGIError("a test call that nobody asked for")
        language = trial.language
    call.speak(language)
    call.say("trial-call")
