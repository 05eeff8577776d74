"""Deletion of a citizen: what goes, what stays, and that the ledger is whole afterwards."""

from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import (
    AuditEntry,
    BlockReason,
    CitizenCode,
    CodeWay,
    Confirmation,
    Erasure,
    Guest,
    Note,
    Recording,
    Registration,
    Request,
    VoiceSummary,
)
from db.states import (
    CallbackState,
    Fact,
    GuestState,
    Phase,
    RegistrationState,
    RequestState,
)
from hotline.citizens import account_contents, codes, erasure
from hotline.ledger import entries, seals, verify
from hotline.line import blocked, carry_over, registration
from hotline.requests import closing, department_work, lifecycle
from hotline.rounds import phases
from scheduler import erasing
from settings import Settings
from tests import factories as make
from tests.hotline.citizens.a_life import NUMBER, OTHER, a_life, delete, everywhere, file
from tests.kit.refusal import refusal


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
        facts = [entry.fact for entry in entries.list_by_registration(session, ids[1])]
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
        assert erasure.count_places(session, NUMBER) == 1
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
        phases.end_round(session, round_)
    delete(engine)
    with writing(engine) as session:
        assert carry_over.carry_over(session, 10) == 0
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
        theirs = account_contents.export(session, OTHER, who="x")
    delete(engine)
    with writing(engine) as session:
        left = account_contents.export(session, OTHER, who="x")
    assert dict(left) | {"exported_at": ""} == dict(theirs) | {"exported_at": ""}


def test_deleted_citizen_may_register_again(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    delete(engine)
    delete(engine)
    with writing(engine) as session:
        live = make.a_round(session)
        assert registration.register(session, round_id=live.id, number=NUMBER).registration_id
        assert [each.registration.number for each in account_contents.list_places(session, NUMBER)] == [
            NUMBER
        ]


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
        digits = codes.read_digits(
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
            department_work.record_citizen_answer(session, request.id, said, who=who)
        closing.reject(session, request, who="u", reason="کار شهر نیست")
    delete(engine)
    with reading(engine) as session:
        notes = [entry.note for entry in lifecycle.list_steps(session, session.get_one(Request, request.id))]
        assert notes == ["کدام خانه؟", "", "کدام خانه؟", "", "کار شهر نیست"]
        assert "زنگ دوم" not in str(session.scalars(select(AuditEntry.reason)).all())
