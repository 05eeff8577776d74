"""A land line whose request is said to be solved is called, and hears the reply."""

from pathlib import Path

import soundfile

from db.engine import reading, writing
from db.models import Request
from db.states import RequestState
from hotline import numbers
from hotline.requests import spoken_replies, work
from tests import factories as make
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System

LAND_LINE = "03132229137"


def test_land_line_hears_the_reply_and_objects(system: System, tmp_path: Path) -> None:
    number = numbers.parse(LAND_LINE, ("+98",))
    with Caller(system, LAND_LINE, port=system.trunk_port) as phone:
        with writing(system.engine) as session:
            request = make.a_request(session, number=number)
            work.reply(session, request, who="u", reply="چراغ کوچه دیروز عوض شد و روشن است.")

        def now() -> Request:
            with reading(system.engine) as session:
                return session.get_one(Request, request.id)

        phone.wait_for_call(timeout=30)
        until(lambda: now().spoken, "the scheduler has spoken it")
        phone.answer()
        phone.at("solved-call-question", "2")
        until(lambda: now().state is RequestState.REOPENED, "the objection is kept", 40)
        file = spoken_replies.find_sound_path(system.settings.replies_dir, request.id).with_suffix(".alaw")
        samples, rate = soundfile.read(file, format="RAW", subtype="ALAW", samplerate=8000, channels=1)
        soundfile.write(tmp_path / "reply.wav", samples, rate)
        assert sound.best_score(phone.recording(), tmp_path / "reply.wav") > sound.THRESHOLD
        phone.wait_for("closed")
