"""A desk's phone that is any telephone number: asked for, called once, let in with a PIN."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import Desk, User
from db.states import CallbackState
from dialer.desk_calls import find_phone_desk
from hotline.callbacks import conversations, transitions
from hotline.desks import desk_phones
from hotline.errors import Refused
from hotline.people import accounts, sign_ins
from hotline.trunk import call_caps
from ops.cli import app
from settings import Settings, load
from tests import factories as make
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.fake_asterisk import FakeAsterisk, Heard

C = CallbackState
NUMBER = "+989131234567"
PIN, WRONG = "24680", "13579"
ALLOWED = ("+989",)
HELLO = ["HOTLINE_LANGUAGE=fa", "official-intro"]
END = ["official-goodbye", "HOTLINE_FINISHED=1"]


@pytest.fixture
def desk_id(engine: Engine) -> int:
    """A desk with a telephone number, whose person has a PIN."""
    with writing(engine) as session:
        desk = make.a_desk(session, connected=False)
        desk.number = NUMBER
        user = make.a_user(session, desk, username="mayor")
        accounts.set_pin(session, user.username, PIN)
        return desk.id


def ask(engine: Engine, desk_id: int) -> None:
    with writing(engine) as session:
        user = session.query(User).one()
        desk_phones.ask_call(session, session.get_one(Desk, desk_id), user, load(_env_file=None))


def take_up(engine: Engine, desk_id: int) -> call_caps.CallPermit | call_caps.Cap | None:
    with writing(engine) as session:
        return desk_phones.take_up(session, desk_id, load(_env_file=None, allowed_prefixes=ALLOWED))


# --- the rule ---


def test_desk_phone_with_a_number_and_pin_is_called_once(engine: Engine, desk_id: int):
    ask(engine, desk_id)
    ask(engine, desk_id)
    with reading(engine) as session:
        assert list(desk_phones.list_requested(session)) == [desk_id]

    call = take_up(engine, desk_id)

    assert call is not None
    assert call[1] == NUMBER
    assert desk_phones.find_desk(call[0]) == desk_id
    assert take_up(engine, desk_id) is None
    with pytest.raises(Refused, match="desk-phone-called"):
        ask(engine, desk_id)


def test_request_after_an_ended_call_places_a_new_one(engine: Engine, desk_id: int):
    ask(engine, desk_id)
    first = take_up(engine, desk_id)
    assert first is not None
    with writing(engine) as session:
        desk_phones.record_end(session, first[0])
    ask(engine, desk_id)
    second = take_up(engine, desk_id)

    assert second is not None
    assert second[0] != first[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": None}, "no-desk-number"),
        ({"phone_connected": True}, "desk-phone-here"),
        ({}, "no-pin"),
    ],
)
def test_desk_phone_without_number_pin_or_desk_is_refused(
    engine: Engine, desk_id: int, change: dict[str, object], code: str
):
    with writing(engine) as session:
        desk = session.get_one(Desk, desk_id)
        for name, value in change.items():
            setattr(desk, name, value)
        if not change:
            session.query(User).one().pin_hash = None

    with pytest.raises(Refused, match=code):
        ask(engine, desk_id)


def test_call_nobody_waits_for_is_dropped(engine: Engine, desk_id: int):
    ask(engine, desk_id)
    with writing(engine) as session:
        session.get_one(Desk, desk_id).call_asked_at = now(session) - timedelta(minutes=1)

    assert take_up(engine, desk_id) is None
    with reading(engine) as session:
        assert list(desk_phones.list_requested(session)) == []


def test_forbidden_prefix_is_not_called(engine: Engine, desk_id: int):
    ask(engine, desk_id)
    with writing(engine) as session:
        session.get_one(Desk, desk_id).number = "+5371234567"

    assert take_up(engine, desk_id) is None


def test_call_under_way_is_listed_with_its_age(engine: Engine, desk_id: int):
    ask(engine, desk_id)
    call = take_up(engine, desk_id)
    assert isinstance(call, call_caps.CallPermit)
    with reading(engine) as session:
        ((token, placed_at),) = desk_phones.list_in_progress(session).items()
        assert token == call.token
        assert abs(now(session) - placed_at) < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("channel", "channel_id", "desk"),
    [
        ("PJSIP/desk-3-0000001f", "1700000000.1", 3),
        ("PJSIP/desk-3-sip-0000001f", "1700000000.1", 3),
        ("Local/+98913@dial-00000001;1", f"desk-12-{'a' * 32}", 12),
        ("Local/+98913@dial-00000001;2", f"desk-12-{'a' * 32};2", None),
        ("PJSIP/trunk-00000001", "1700000000.1", None),
        ("Local/x@dial-00000001;1", f"callback-{'a' * 32}", None),
    ],
)
def test_desk_phone_is_known_by_account_or_channel_id(channel: str, channel_id: str, desk: int | None):
    assert find_phone_desk(channel, channel_id) == desk


# --- PINs ---


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "۱۲۳۴"])
def test_unfit_pin_is_refused(engine: Engine, desk_id: int, pin: str):
    with writing(engine) as session, pytest.raises(Refused, match="pin-unfit"):
        accounts.set_pin(session, "mayor", pin)


def test_nine_wrong_pins_lock_for_a_quarter_of_an_hour(engine: Engine, desk_id: int):
    def tries(*, right: bool) -> bool:
        with writing(engine) as session:
            return accounts.count_pin_try(session, session.query(User.id).scalar() or 0, right=right)

    for _ in range(8):
        tries(right=False)
    assert tries(right=True)  # which forgets the eight
    for _ in range(9):
        tries(right=False)
    assert not tries(right=True)
    with writing(engine) as session:
        user = session.query(User).one()
        with pytest.raises(Refused, match="too-many-attempts"):
            accounts.find_pin_hash(session, user)
        assert user.pin_locked_until is not None
        assert user.pin_locked_until - now(session) > timedelta(minutes=14)
        user.pin_locked_until = now(session)
    assert tries(right=True)


# --- what the official hears ---


@pytest.fixture
def token(engine: Engine, desk_id: int) -> str:
    """The telephone has been called and has answered."""
    ask(engine, desk_id)
    call = take_up(engine, desk_id)
    assert call is not None
    return call[0]


def answer(asterisk: FakeAsterisk, token: str, *pins: str) -> Heard:
    steps = [("official-pin", f"{pin}#") for pin in pins]
    return asterisk.dial(*steps, script="official", channel_id=token, caller_id="137")


on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])


@on_sqlite
def test_the_right_pin_lets_in(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, PIN)

    assert heard.order == [
        *HELLO,
        "official-pin",
        "HOTLINE_CONFIRMED=yes",
        "official-welcome",
        "HOTLINE_FINISHED=1",
    ]


@on_sqlite
def test_three_wrong_pins_do_not(asterisk: FakeAsterisk, token: str, engine: Engine):
    heard = answer(asterisk, token, WRONG, WRONG, WRONG)

    assert heard.order == [*HELLO, *["official-pin", "official-wrong"] * 3, *END]
    with reading(engine) as session:
        assert session.query(User.pin_failures).scalar() == 3


@on_sqlite
def test_the_third_may_be_right(asterisk: FakeAsterisk, token: str):
    assert answer(asterisk, token, WRONG, "1", PIN).variables["HOTLINE_CONFIRMED"] == "yes"


@on_sqlite
def test_after_nine_wrong_ones_not_even_the_right_one(asterisk: FakeAsterisk, token: str):
    for _ in range(3):
        answer(asterisk, token, WRONG, WRONG, WRONG)

    heard = answer(asterisk, token, PIN)

    assert heard.order == [*HELLO, "official-pin", "official-locked", *END]


@on_sqlite
def test_voicemail_keys_in_nothing_and_gets_nowhere(asterisk: FakeAsterisk, token: str):
    heard = asterisk.dial(script="official", channel_id=token, caller_id="137")

    assert "HOTLINE_CONFIRMED" not in heard.variables
    assert heard.order[-2:] == END


@on_sqlite
@pytest.mark.parametrize("stranger", [f"desk-1-{'f' * 32}", "1700000000.17", "desk-1-' OR 1=1 --"])
def test_a_channel_that_nobody_asked_for_is_let_in_by_no_pin(
    asterisk: FakeAsterisk, token: str, stranger: str
):
    heard = answer(asterisk, stranger, PIN)

    assert "HOTLINE_CONFIRMED" not in heard.variables


@on_sqlite
def test_the_pin_is_in_no_log(asterisk: FakeAsterisk, token: str, caplog: pytest.LogCaptureFixture):
    answer(asterisk, token, WRONG, PIN)

    assert not [r for r in caplog.records if PIN in r.getMessage() or WRONG in r.getMessage()]


# --- the page ---


@on_sqlite
def test_the_page_asks_for_the_call_and_hears_why_not(settings: Settings, engine: Engine, desk_id: int):
    with writing(engine) as session:
        cookie = sign_ins.sign_in(session, session.query(User).one())
    client = TestClient(create(settings), cookies={COOKIE: cookie})

    assert client.post("/api/v1/desk/phone/call").status_code == 202
    assert take_up(engine, desk_id) is not None
    refused = client.post("/api/v1/desk/phone/call")
    assert (refused.status_code, refused.json()["code"]) == (409, "desk-phone-called")


# --- the command line ---


@on_sqlite
def test_number_and_pin_are_set_from_the_command_line(
    settings: Settings, engine: Engine, desk_id: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)

    def run(*words: str) -> int:
        return CliRunner().invoke(app, words).exit_code

    assert run("desk-phone", str(desk_id), "--number", "۰۹۱۳ ۷۶۵ ۴۳۲۱") == 0
    assert run("user", "pin", "mayor", "--pin", "13579") == 0
    assert run("desk-phone", str(desk_id), "--number", "+5371234567") == 1
    assert run("user", "pin", "nobody", "--pin", "13579") == 1
    assert run("user", "pin", "mayor", "--pin", "1") == 1
    with reading(engine) as session:
        desk = session.get_one(Desk, desk_id)
        assert (desk.number, desk.phone) == ("+989137654321", "sip")
        assert accounts.is_right(session.query(User.pin_hash).scalar() or "", "13579")

    assert run("desk-phone", str(desk_id), "--number", "") == 0
    with reading(engine) as session:
        assert session.get_one(Desk, desk_id).number is None


# --- it leaves a conversation ---


@pytest.mark.parametrize(("state", "again"), [(C.TALKING, True), (C.WAITING, False), (C.PARTING, False)])
def test_telephone_lost_in_a_conversation_is_redialled_once(
    engine: Engine, desk_id: int, settings: Settings, state: C, again: bool
):
    with writing(engine) as session:
        session.get_one(Desk, desk_id).phone_connected = True
        token = make.a_callback(session, state, session.query(User).one()).token
        desk_phones.ask_again(session, token)
        conversations.hold_without_desk(session, token, settings)
    assert take_up(engine, desk_id) is None, "nobody has heard its end yet"

    with writing(engine) as session:
        session.get_one(Desk, desk_id).phone_connected = False
    assert isinstance(take_up(engine, desk_id), call_caps.CallPermit) is again
    assert take_up(engine, desk_id) is None


def test_telephone_back_by_itself_is_not_redialled(engine: Engine, desk_id: int, settings: Settings):
    with writing(engine) as session:
        session.get_one(Desk, desk_id).phone_connected = True
        token = make.a_callback(session, C.TALKING, session.query(User).one()).token
        desk_phones.ask_again(session, token)
        conversations.hold_without_desk(session, token, settings)
        transitions.move(session, token, C.TALKING, held_until=None)
    assert take_up(engine, desk_id) is None
    with reading(engine) as session:
        assert desk_phones.list_requested(session) == []
