"""A citizen with a place, conversations, requests and files, for tests of what is kept and deleted."""

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import (
    Base,
    CodeWay,
    Guest,
    Recording,
    Registration,
)
from db.states import (
    CallbackState,
    GuestEnd,
    GuestState,
    RegistrationState,
    RequestState,
)
from hotline.citizens import codes, erasure, sessions
from hotline.line import registration
from hotline.recordings import voice_summaries
from settings import Settings
from tests import factories as make

NUMBER = "+989130137137"
OTHER = "+989130137138"


def everywhere(session: Session, number: str) -> set[str]:
    """The tables in which this number stands, as such or within a text."""
    digits = number.removeprefix("+98")
    found = set()
    for table in Base.metadata.sorted_tables:
        rows = session.execute(text(f'SELECT * FROM "{table.name}"')).all()
        if any(digits in str(tuple(row)) for row in rows):
            found.add(table.name)
    return found


def file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"RIFF")
    return path


def a_life(engine: Engine, settings: Settings) -> dict[str, Path]:
    """A citizen with a place, an old conversation, requests, messages and sessions; the files of it."""
    files = {
        "place": file(settings.messages_dir, "place.wav"),
        "open": file(settings.messages_dir, "open.wav"),
        "over": file(settings.messages_dir, "over.wav"),
        "talk": file(settings.recordings_dir, "talk.wav"),
    }
    with writing(engine) as session:
        live = make.a_round(session)
        place = registration.register(session, round_id=live.id, number=NUMBER).registration_id
        session.get_one(Registration, place).voice_message = "place.wav"
        call = make.a_registration(session, live, number=NUMBER, state=RegistrationState.CANCELLED)
        call.voice_message = "place.wav"  # of one call, and of both places that it asked for
        make.some_registrations(session, live, 2)
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        writer = make.a_user(session)
        make.a_note(session, talk, "از کوچهٔ خود گفت", writer)
        voice_summaries.write(session, session.get_one(Registration, place), "چراغ خاموش است", by=writer)
        at = now(session)
        session.add(Recording(callback_id=talk.id, file="talk.wav", sha256="0" * 64, seconds=3, made_at=at))
        make.a_request(session, number=NUMBER, voice_message="open.wav")
        make.a_request(session, RequestState.CLOSED, number=NUMBER, voice_message="over.wav")
        make.a_request(session, RequestState.CLOSED, number=NUMBER)
        make.keyed_in(session, live, asked_by=NUMBER)
        session.add(
            Guest(
                callback_id=talk.id,
                desk_id=talk.desk_id,
                token="guest-1",
                number=NUMBER,
                asked_by="operator1",
                state=GuestState.ENDED,
                ended_by=GuestEnd.LEFT,
                asked_at=at,
                ended_at=at,
            )
        )
        code = codes.ask(session, NUMBER, CodeWay.CALL, "fa", settings, browser=make.BROWSER)
        sessions.begin_session(session, code, "", settings)
    return files


def delete(engine: Engine, *, give_up: bool = True, number: str = NUMBER) -> None:
    with writing(engine) as session:
        erasure.delete_citizen(session, number, who="citizen", give_up=give_up)
