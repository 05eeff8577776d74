"""«Delete me»: what goes, what stays, and that the ledger is whole afterwards; what a citizen takes along."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from clerk import erasing
from clerk import recordings as clerks_recordings
from db.engine import now, reading, writing
from db.models import (
    AuditEntry,
    Base,
    BlockReason,
    CitizenCode,
    CodeWay,
    Confirmation,
    Erasure,
    Guest,
    Note,
    OutboxMessage,
    PlacedCall,
    Recording,
    Registration,
    Request,
    VoiceSummary,
)
from db.states import (
    CallbackState,
    Fact,
    GuestEnd,
    GuestState,
    Phase,
    RegistrationState,
    RequestState,
    RequestStep,
)
from hotline.citizens import belongings, codes, erasure, sessions
from hotline.ledger import ledger, seals, verify
from hotline.line import blocked, carry_over, registration
from hotline.recordings import voice_summaries
from hotline.requests import closing, department_work, requests
from hotline.rounds import rounds
from settings import Settings
from tests import factories as make
from tests.kit.recording_files import a_file
from tests.kit.refusal import refusal

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
        sessions.begin(session, code, "", settings)
    return files


def delete(engine: Engine, *, give_up: bool = True, number: str = NUMBER) -> None:
    with writing(engine) as session:
        erasure.delete_citizen(session, number, who="citizen", give_up=give_up)


def test_deletion_removes_the_number_and_its_files(engine: Engine, settings: Settings) -> None:
    files = a_life(engine, settings)
    delete(engine)
    with reading(engine) as session:
        assert everywhere(session, NUMBER) == {"citizen_codes"}, "which the limits count for a day"
        place = session.scalars(select(Registration).where(Registration.voice_message.is_(None))).all()
        assert all(each.number != NUMBER for each in place)
        assert session.scalars(select(Note)).all() == []
        assert session.scalars(select(VoiceSummary)).all() == []
        assert session.scalars(select(Recording)).one().deleted_at
        written = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-deleted")).one()
    assert (written.who, written.subject) == ("citizen", "citizen +989…37")
    erasing.run(engine, settings)
    assert [name for name, path in files.items() if path.exists()] == ["open"], "it is still to be mended"


def test_deletion_of_a_sealed_place_keeps_the_ledger_whole(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        live = make.a_round(session, Phase.OPEN)
        ids = [
            registration.register(session, round_id=live.id, number=number).registration_id
            for number in (OTHER, NUMBER, make.a_number())
        ]
        seals.seal(session)
    delete(engine)
    with writing(engine) as session:
        seals.seal(session)
        facts = [entry.fact for entry in ledger.of_registration(session, ids[1])]
    assert facts == [Fact.REGISTERED, Fact.CANCELLED]
    report = verify.verify(engine)
    assert report.problems == []


def test_open_request_loses_words_and_voice_once_closed(engine: Engine, settings: Settings) -> None:
    files = a_life(engine, settings)
    with writing(engine) as session:
        written = make.a_request(session, number=NUMBER)
    delete(engine)
    erasing.run(engine, settings)
    with writing(engine) as session:
        open_ = session.scalars(select(Request).where(Request.voice_message == "open.wav")).one()
        assert session.get_one(Request, written.id).written
        for request in (open_, session.get_one(Request, written.id)):
            closing.reject(session, request, who="x", reason="کار شهرداری نیست")
    erasing.run(engine, settings)
    assert not files["open"].exists()
    with reading(engine) as session:
        for request in session.scalars(select(Request)):
            assert (request.number, request.written, request.voice_message) == (None, "", None)
            assert request.voice_deleted_at
        assert session.scalars(select(Erasure)).all() == []


def test_deletion_with_a_place_must_give_it_up(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        assert erasure.held(session, NUMBER) == 1
        before = everywhere(session, NUMBER)
    assert refusal(delete, engine, give_up=False) == "places-held"
    with reading(engine) as session:
        assert everywhere(session, NUMBER) == before


def test_deletion_during_a_call_is_refused(engine: Engine) -> None:
    with writing(engine) as session:
        make.a_callback(session, CallbackState.TALKING, number=NUMBER)
    assert refusal(delete, engine) == "in-call"


def test_unreached_place_of_the_deleted_is_not_carried(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        make.a_registration(session, round_, number=NUMBER, state=RegistrationState.UNREACHED)
        rounds.end_round(session, round_)
    delete(engine)
    with writing(engine) as session:
        assert carry_over.run(session, 10) == 0
        assert session.scalars(select(Registration)).one().state is RegistrationState.CANCELLED


def test_deletion_keeps_a_conversation_with_a_threat(engine: Engine, settings: Settings) -> None:
    kept = file(settings.recordings_dir, "threat.wav")
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        talk.threat_at = at = now(session)
        make.a_note(session, talk, "تهدید کرد")
        session.add(Recording(callback_id=talk.id, file="threat.wav", sha256="0" * 64, seconds=3, made_at=at))
    delete(engine)
    erasing.run(engine, settings)
    with reading(engine) as session:
        assert everywhere(session, NUMBER) == {"registrations"}
        assert session.scalars(select(Recording)).one().deleted_at is None
        assert session.scalars(select(Note)).one()
    assert kept.exists()


def new_owner(engine: Engine, *, give_up: bool = True, reason: str = "با مدرک آمد") -> None:
    with writing(engine) as session:
        erasure.to_new_owner(session, NUMBER, who="supervisor1", reason=reason, give_up=give_up)


def test_new_owner_of_a_number_finds_nothing_of_the_former(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        blank = belongings.export(session, OTHER, who="x")
        keyed = make.keyed_in(session, make.a_round(session), NUMBER)
        keyed.agreed, keyed.decided_at = False, now(session)
        session.add(PlacedCall(token="callback-1", number=NUMBER, at=now(session)))
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        talk.threat_at = now(session)
        make.a_note(session, talk, "تهدید کرد")
        blocked.block(session, NUMBER, BlockReason.NUISANCE)
        make.a_request(session, RequestState.NEW, number=NUMBER)
        waiting = registration.register(session, round_id=make.a_round(session).id, number=OTHER)
        open_before = len(session.scalars(select(Request).where(Request.state == RequestState.NEW)).all())
    new_owner(engine)
    with writing(engine) as session:
        found = belongings.export(session, NUMBER, who="x")
        assert {name: part for name, part in found.items() if name not in ("number", "exported_at")} == {
            name: part for name, part in blank.items() if name not in ("number", "exported_at")
        }
        kept = session.get_one(Registration, talk.registration_id).number
        assert kept == f"-{NUMBER[1:]}", "the proof of a threat is apart"
        assert session.scalars(select(Note)).one()
        assert (
            len(session.scalars(select(Request).where(Request.state == RequestState.NEW)).all())
            == open_before
        )
        assert session.get_one(Registration, waiting.registration_id).number == OTHER
        written = session.scalars(select(AuditEntry).where(AuditEntry.action == "number-new-owner")).one()
        assert registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    assert (written.who, written.subject, written.reason) == ("supervisor1", "citizen +989…37", "با مدرک آمد")


def test_place_lost_to_a_new_owner_has_its_reason_in_the_ledger(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        live = make.a_round(session, Phase.OPEN)
        ids = [
            registration.register(session, round_id=live.id, number=number).registration_id
            for number in (OTHER, NUMBER)
        ]
        seals.seal(session)
    assert refusal(new_owner, engine, give_up=False) == "places-held"
    assert refusal(new_owner, engine, reason=" ") == "reason-missing"
    new_owner(engine)
    with writing(engine) as session:
        seals.seal(session)
        last = ledger.of_registration(session, ids[1])[-1]
        assert session.get_one(Registration, ids[0]).state is RegistrationState.WAITING
    assert (
        last.fact is Fact.CANCELLED
        and "شماره به کس دیگری واگذار شده است" in json.loads(last.details)["reason"]
    )
    assert verify.verify(engine).problems == []


def test_new_owner_during_a_conversation_is_refused(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        make.a_callback(session, CallbackState.TALKING, number=NUMBER)
    assert refusal(new_owner, engine) == "in-call"


def test_deletion_keeps_a_block_and_an_owners_no(engine: Engine) -> None:
    with writing(engine) as session:
        keyed = make.keyed_in(session, make.a_round(session), NUMBER)
        keyed.agreed, keyed.decided_at = False, now(session)
        blocked.block(session, NUMBER, BlockReason.OWNER)
    delete(engine)
    with reading(engine) as session:
        assert blocked.is_blocked(session, NUMBER)
        assert session.scalars(select(Confirmation)).one().agreed is False


def test_deletion_spares_everybody_else(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        live = make.a_round(session)
        registration.register(session, round_id=live.id, number=OTHER)
        make.a_request(session, number=OTHER)
        theirs = belongings.export(session, OTHER, who="x")
    delete(engine)
    with writing(engine) as session:
        left = belongings.export(session, OTHER, who="x")
    assert dict(left) | {"exported_at": ""} == dict(theirs) | {"exported_at": ""}


def test_deleted_citizen_may_register_again(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    delete(engine)
    delete(engine)
    with writing(engine) as session:
        live = make.a_round(session)
        assert registration.register(session, round_id=live.id, number=NUMBER).registration_id
        assert [each.registration.number for each in belongings.places(session, NUMBER)] == [NUMBER]


def test_export_holds_a_citizens_data_and_nothing_of_others(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        live = make.a_round(session)
        make.keyed_in(session, live, NUMBER, asked_by=OTHER)
        mine = session.scalars(select(Request).where(Request.number == NUMBER)).first()
        assert mine is not None
        requests.log(session, mine, RequestStep.REFERRED, "office", "میان خودمان")
        requests.log(session, mine, RequestStep.NEWS, "office", "در دست کار است")
        found = belongings.export(session, NUMBER, who="command line")
        told = len(session.scalars(select(OutboxMessage).where(OutboxMessage.to == NUMBER)).all())
        asked = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-exported")).one()
    exported = json.dumps(found, ensure_ascii=False)
    assert OTHER not in exported and OTHER[3:] not in exported
    assert found["number"] == NUMBER and asked.subject == "citizen +989…37"
    assert [len(found[part]) for part in ("places", "requests", "messages", "sessions")] == [4, 3, told, 1]
    assert "در دست کار است" in exported and "میان خودمان" not in exported
    assert "از کوچهٔ خود گفت" in exported and "چراغ کوچه خاموش است" in exported
    calls = [call for place in found["places"] for call in place["calls"]]
    assert [call["recorded_seconds"] for call in calls] == [3]
    assert len(found["called_as_third_person"]) == 1


def test_account_shows_the_numbers_own_current_data(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        first = make.a_request(session, RequestState.REPLIED, number=OTHER)
        same = RequestState.DUPLICATE
        make.a_request(session, same, number=NUMBER, duplicate_of_id=first.id)
        mine = belongings.requests(session, NUMBER)
        waiting = [place.place for place in belongings.places(session, NUMBER)]
    assert len(mine) == 4 and {each.request.number for each in mine} == {NUMBER}
    assert (mine[0].state, mine[0].reply, mine[0].asked) == (RequestState.REPLIED, first.reply, False)
    assert sorted(place or 0 for place in waiting) == [0, 0, 3]
    with reading(engine) as session:
        assert belongings.places(session, OTHER) == []
        assert requests.latest(session, OTHER)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_undeletable_file_alone_waits_to_be_erased(engine: Engine, settings: Settings) -> None:
    (settings.messages_dir / "place.wav").mkdir(parents=True)  # which unlink refuses
    others = [file(settings.messages_dir, f"{which}.wav") for which in range(60)]
    with writing(engine) as session:
        for name in ("place.wav", *(each.name for each in others)):
            session.add(Erasure(file=f"messages/{name}", asked_at=now(session)))
    with pytest.raises(OSError):
        erasing.run(engine, settings)
    assert not any(each.exists() for each in others)
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).one().file == "messages/place.wav"


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("folder", ["messages", "recordings", "pictures", "uploads"])
def test_files_of_an_absent_folder_stay_to_be_erased(engine: Engine, settings: Settings, folder: str) -> None:
    kept = file(settings.state_dir / folder, "kept.wav")
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED)
        old = {"sha256": "0" * 64, "seconds": 3, "made_at": now(session), "deleted_at": now(session)}
        session.add(Recording(callback_id=talk.id, file="old.wav", **old))
        session.add(Erasure(file=f"{folder}/{kept.name}", asked_at=now(session)))
    away = kept.parent.rename(settings.state_dir / "away")
    with pytest.raises(FileNotFoundError, match=folder):
        erasing.run(engine, settings)
    away.rename(kept.parent)
    erasing.run(engine, settings)
    assert not kept.exists()
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).all() == []


@pytest.mark.parametrize("backend", ["sqlite"])
def test_city_that_never_recorded_misses_no_folder(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
    delete(engine)
    erasing.run(engine, settings)
    with reading(engine) as session:
        assert session.scalars(select(Erasure)).all() == []


@pytest.mark.parametrize("books", ["before", "after"])
def test_unregistered_recording_of_the_deleted_is_erased(
    engine: Engine, settings: Settings, books: str
) -> None:
    settings.recordings_dir.mkdir(parents=True)
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        talk.ended_at = now(session)
        path = a_file(settings.recordings_dir, talk.token)
    delete(engine)
    if books == "before":
        clerks_recordings.register(engine, settings)
        erasing.run(engine, settings)
    else:
        erasing.run(engine, settings)
        clerks_recordings.register(engine, settings)
    assert not path.exists()
    with reading(engine) as session:
        assert all(each.deleted_at for each in session.scalars(select(Recording)))


def test_deletion_of_a_third_person_in_a_talk_is_refused(engine: Engine) -> None:
    with writing(engine) as session:
        talk = make.a_callback(session, CallbackState.TALKING)
        session.add(
            Guest(
                callback_id=talk.id,
                desk_id=talk.desk_id,
                token="guest-1",
                number=NUMBER,
                asked_by="operator1",
                state=GuestState.ASKED,
                asked_at=now(session),
            )
        )
    assert refusal(delete, engine) == "in-call"


def test_message_finished_after_the_deletion_joins_no_place(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        live = make.a_round(session)
        place = registration.register(session, round_id=live.id, number=NUMBER).registration_id
    delete(engine)
    with writing(engine) as session:
        registration.describe(session, place, voice_message="late.wav")
        assert session.get_one(Registration, place, populate_existing=True).voice_message is None


def test_code_used_for_the_deletion_lets_nobody_in(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        digits = codes.digits(
            codes.ask(session, NUMBER, CodeWay.CALL, "fa", settings, browser=make.BROWSER), settings
        )
        assert codes.show(session, NUMBER, digits, settings, browser=make.BROWSER)
    delete(engine)
    with writing(engine) as session:
        assert codes.show(session, NUMBER, digits, settings, browser=make.BROWSER) is None


def test_codes_before_a_deletion_count_after_it(engine: Engine, settings: Settings) -> None:
    for _ in range(3):
        with writing(engine) as session:
            codes.ask(session, NUMBER, CodeWay.CALL, "fa", settings, browser=make.BROWSER)
        delete(engine)
    with writing(engine) as session:
        assert all(each.ended_at for each in session.scalars(select(CitizenCode)))
        assert (
            refusal(codes.ask, session, NUMBER, CodeWay.CALL, "fa", settings, browser=make.BROWSER)
            == "too-many-codes"
        )


def test_deletion_removes_answers_to_departments(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        request = make.a_request(session, RequestState.REFERRED, number=NUMBER)
        for who, said in (("", "خانهٔ من پلاک ۵"), ("operator1", "زنگ دوم")):
            department_work.ask(session, request, who="d", question="کدام خانه؟")
            department_work.citizen_answers(session, request.id, said, who=who)
        closing.reject(session, request, who="u", reason="کار شهر نیست")
    delete(engine)
    with reading(engine) as session:
        notes = [entry.note for entry in requests.history(session, session.get_one(Request, request.id))]
        assert notes == ["کدام خانه؟", "", "کدام خانه؟", "", "کار شهر نیست"]
        assert "زنگ دوم" not in str(session.scalars(select(AuditEntry.reason)).all())
