"""The test call says its sentence in the language that was asked for, and to nobody else."""

import pytest
from sqlalchemy import Engine

from db.engine import writing
from hotline.setup import trial_calls
from settings import Settings
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.mark.parametrize("language", ["fa", "en"])
def test_trial_call_says_one_sentence(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, language: str
) -> None:
    with writing(engine) as session:
        asked = trial_calls.ask(session, "09131234567", who="admin", language=language, settings=settings)
        call = trial_calls.take_up(session, asked.id)
        assert call and call.token
        token = call.token
    heard = asterisk.dial(script="trial", channel_id=token, caller_id="137")
    assert heard.order == [f"HOTLINE_LANGUAGE={language}", "trial-call", "HOTLINE_FINISHED=1"]


@pytest.mark.parametrize("token", ["trial-unknown", "callback-1", ""])
def test_unrequested_call_says_nothing(asterisk: FakeAsterisk, token: str) -> None:
    assert not asterisk.dial(script="trial", channel_id=token, caller_id="137").finished
