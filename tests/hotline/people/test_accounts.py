"""People who sign in: passwords, a lockout that grows, sessions that end."""

import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, event, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Desk, FailedSignIn, RecoveryCode, Role, SignIn, User
from db.states import CallbackState
from hotline.errors import Refused
from hotline.people import accounts, lockout, sign_ins
from tests.factories import PASSWORD, SECOND, a_callback, a_desk, a_user, at_once, wrong_guesses


def verify(session: Session, username: str, password: str) -> User | None:
    right = accounts.is_right(accounts.known_hash(session, username), password)
    return accounts.verify(session, username, right=right)


def add(
    session: Session, username: str = "operator", *, desk: int | None = None, password: str = PASSWORD
) -> User:
    return accounts.add(
        session, username=username, name="نام", role=Role.OPERATOR, desk_id=desk, password=password
    )


def signed_in(session: Session, cookie: str) -> User | None:
    found = sign_ins.session_of(session, cookie)
    return found.user if found else None


def everything_stored(session: Session) -> str:
    """Every value of every table, as one text."""
    tables = MetaData()
    tables.reflect(session.connection())
    return repr([session.execute(select(table)).all() for table in tables.sorted_tables])


def failures(session: Session, username: str = "operator") -> int:
    kept = session.get(FailedSignIn, lockout._hash(username), populate_existing=True)
    return kept.failures if kept else 0


def test_given_a_person_when_added_then_the_password_is_kept_as_argon2id_only(session: Session) -> None:
    user = add(session, desk=7)
    assert user.password_hash.startswith("$argon2id$")
    assert (user.role, user.desk_id) == (Role.OPERATOR, 7)
    assert session.get_one(Desk, 7).phone == "browser"
    assert PASSWORD not in everything_stored(session)
    assert verify(session, "operator", PASSWORD) is user


def test_given_a_wrong_password_when_verified_then_nobody_is_known_and_the_failure_is_counted(
    session: Session,
) -> None:
    a_user(session, username="operator")
    for count, password in enumerate(["", PASSWORD[:-1], PASSWORD + " ", "x" * 10_000], 1):
        assert verify(session, "operator", password) is None
        assert failures(session) == count


def test_given_an_unknown_name_when_verified_then_nobody_is_known_and_nobody_elses_name_is_locked(
    session: Session,
) -> None:
    a_user(session, username="operator")
    for username in ("Operator", "' OR 1=1 --", "x" * 10_000):
        assert verify(session, username, PASSWORD) is None
        assert failures(session, username) == 1
    assert failures(session) == 0
    assert "OR 1=1" not in everything_stored(session), "somebody may have typed a password there"


def test_given_names_desks_and_passwords_when_they_do_not_fit_then_the_person_is_refused(
    session: Session,
) -> None:
    add(session, "first", desk=1)
    for username, desk, password, code in (
        ("first", 2, PASSWORD, "username-taken"),
        ("second", 1, PASSWORD, "desk-taken"),
        ("second", 2, "r7fk2xq", "password-short"),
        ("second", 2, "۱۲۳۴۵۶۷۸", "password-trivial"),
        ("second-person", 2, "Second-Person1", "password-trivial"),
    ):
        with pytest.raises(Refused) as refused:
            add(session, username, desk=desk, password=password)
        assert refused.value.code == code
    assert session.scalars(select(User.username)).all() == ["first"]
    assert add(session, "second", desk=2, password="r7fk2xqm").id


@pytest.mark.parametrize("username", ["operator", "nobody"])
def test_given_wrong_passwords_when_they_go_on_then_five_are_free_and_the_lock_doubles_up_to_900_seconds(
    session: Session, username: str
) -> None:
    a_user(session, username="operator")
    for count in range(1, 6):
        assert verify(session, username, "wrong") is None
        assert failures(session, username) == count and lockout.locks(session, [username]) == {}
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        before = now(session)
        assert verify(session, username, "wrong") is None
        until = lockout.locks(session, [username])[username]
        assert before + seconds * SECOND <= until <= now(session) + seconds * SECOND
        if seconds > 60:  # else it may be over by now
            with pytest.raises(Refused, match="too many"):
                verify(session, username, PASSWORD)
        session.execute(update(FailedSignIn).values(locked_until=now(session)))  # time goes by


@pytest.mark.parametrize("is_locked", [False, True])
def test_given_a_name_when_it_is_guessed_at_then_what_the_database_does_does_not_tell_whether_anybody_has_it(
    engine: Engine, is_locked: bool
) -> None:
    with writing(engine) as session:
        a_user(session, username="operator")
    done: dict[str, list[str]] = {"operator": [], "nobody": []}
    for username, statements in done.items():
        for _ in range(6 * is_locked):
            with writing(engine) as session:
                verify(session, username, "wrong")

        def note(_c: Any, _cursor: Any, statement: str, *_: Any, to: list[str] = statements) -> None:
            to.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        with suppress(Refused), writing(engine) as session:
            accounts.known_hash(session, username)
            lockout.is_locked(session, username)
            accounts.verify(session, username, right=False)
        event.remove(engine, "before_cursor_execute", note)
    assert done["operator"] == done["nobody"] != []


def test_given_a_locked_name_when_even_the_right_password_comes_then_it_is_refused_until_the_lock_is_over(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    wrong_guesses(session, "operator", 8, now(session) + timedelta(minutes=1))
    for password in (PASSWORD, "wrong"):
        with pytest.raises(Refused) as refused:
            verify(session, "operator", password)
        assert refused.value.code == "too-many-attempts"
    assert failures(session) == 8
    assert (lockout.is_locked(session, "operator"), lockout.is_locked(session, "other")) == (True, False)
    wrong_guesses(session, "operator", 8, now(session))
    assert verify(session, "operator", PASSWORD) is user
    assert failures(session) == 0 and lockout.locks(session, ["operator"]) == {}


def test_given_four_failures_when_the_right_password_comes_then_the_count_begins_anew(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    for _ in range(4):
        verify(session, "operator", "wrong")
    assert verify(session, "operator", PASSWORD) is user
    assert failures(session) == 0


def test_given_names_at_which_nobody_has_guessed_for_a_day_when_anybody_signs_in_then_they_are_forgotten(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    for username, hours in (("old", 25), ("young", 23)):
        wrong_guesses(session, username, 9)
        session.get_one(FailedSignIn, lockout._hash(username)).last_at = now(session) - timedelta(hours=hours)
    sign_ins.sign_in(session, user)
    assert (failures(session, "old"), failures(session, "young")) == (0, 9)


def test_given_one_name_when_ten_guess_at_once_then_no_failure_goes_uncounted(engine: Engine) -> None:
    with writing(engine) as session:
        a_user(session, username="operator")

    def guess(_: int) -> str:
        try:
            with writing(engine) as session:
                return str(verify(session, "operator", "wrong"))
        except Refused as refused:
            return refused.code

    guesses = at_once(10, guess)
    assert set(guesses) == {"None", "too-many-attempts"}
    with reading(engine) as session:
        assert failures(session) == guesses.count("None") >= 6
        assert lockout.locks(session, ["operator"])


def test_given_a_session_when_begun_then_only_the_hash_of_its_cookie_is_stored(session: Session) -> None:
    user = a_user(session)
    before = now(session)
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    kept = session.scalars(select(SignIn)).one()
    assert kept.token_hash == hashlib.sha256(cookie.encode()).hexdigest()
    assert kept.user_id == user.id
    assert before + timedelta(hours=12) <= kept.expires_at <= now(session) + timedelta(hours=12)
    assert cookie not in everything_stored(session)
    assert len(cookie) >= 43
    assert before <= kept.created_at == kept.last_seen_at
    sign_ins.sign_in(session, user, address="x" * 100, agent="y" * 1000)
    session.flush()


def test_given_sessions_when_asked_by_cookie_then_each_finds_its_person_and_others_nobody(
    session: Session,
) -> None:
    first, second = a_user(session, a_desk(session)), a_user(session)
    cookies = [sign_ins.sign_in(session, user) for user in (first, first, second)]
    assert len(set(cookies)) == 3
    assert [signed_in(session, cookie) for cookie in cookies] == [first, first, second]
    digest = hashlib.sha256(cookies[0].encode()).hexdigest()
    for forged in ("", "x" * 10_000, digest, cookies[0][:-1], cookies[0] + "A", "' OR 1=1 --"):
        assert signed_in(session, forged) is None


def test_given_a_session_when_its_time_is_over_then_it_is_nobody_and_the_next_sign_in_removes_it(
    session: Session,
) -> None:
    user = a_user(session)
    old, lasting = sign_ins.sign_in(session, user), sign_ins.sign_in(session, user)
    session.flush()
    kept = session.get_one(SignIn, hashlib.sha256(old.encode()).hexdigest())
    kept.expires_at = now(session)
    session.flush()
    assert signed_in(session, old) is None
    kept.expires_at -= SECOND
    session.flush()
    new = sign_ins.sign_in(session, user)
    session.flush()
    hashes = {hashlib.sha256(cookie.encode()).hexdigest() for cookie in (lasting, new)}
    assert set(session.scalars(select(SignIn.token_hash))) == hashes


@pytest.mark.parametrize("state", [CallbackState.TALKING, CallbackState.HELD, CallbackState.SCREENING])
def test_given_a_session_in_conversation_when_its_time_is_over_then_it_lasts_until_the_conversation_is(
    session: Session, state: CallbackState
) -> None:
    user, other = a_user(session, a_desk(session)), a_user(session, a_desk(session))
    call = a_callback(session, CallbackState.TALKING, user)
    call.state, call.screen_desk_id, call.held_until = state, user.desk_id, now(session)
    speaks, idle, silent = (sign_ins.sign_in(session, person) for person in (user, user, other))
    session.flush()
    for cookie in (speaks, silent):
        session.get_one(SignIn, sign_ins.cookie_hash(cookie)).expires_at -= timedelta(hours=13)
    session.get_one(SignIn, sign_ins.cookie_hash(idle)).last_seen_at -= timedelta(hours=3)
    session.flush()
    sign_ins.sign_in(session, other)  # which removes what is over
    assert [signed_in(session, cookie) for cookie in (speaks, idle, silent)] == [user, user, None]
    assert len(sign_ins.lasting(session, {sign_ins.cookie_hash(speaks)})) == 1

    call.state = CallbackState.ENDED
    session.flush()
    assert [signed_in(session, cookie) for cookie in (speaks, idle)] == [None, None]


@pytest.mark.parametrize("ended_by", ["sign_out", "end_session", "end_sessions", "disabled"])
def test_given_a_session_in_conversation_when_a_person_ends_it_then_it_is_over(
    session: Session, ended_by: str
) -> None:
    user = a_user(session, a_desk(session))
    a_callback(session, CallbackState.TALKING, user)
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    if ended_by == "sign_out":
        sign_ins.sign_out(session, cookie)
    elif ended_by == "end_session":
        sign_ins.end_session(session, user.id, sign_ins.cookie_hash(cookie))
    elif ended_by == "end_sessions":
        sign_ins.end_sessions(session, user.id)
    else:
        user.disabled_at = now(session)
        session.flush()
    assert signed_in(session, cookie) is None


def test_given_two_sessions_when_one_signs_out_then_the_other_stays(session: Session) -> None:
    user = a_user(session)
    gone, stays = sign_ins.sign_in(session, user), sign_ins.sign_in(session, user)
    sign_ins.sign_out(session, gone)
    sign_ins.sign_out(session, "nobody")
    assert signed_in(session, gone) is None
    assert signed_in(session, stays) is user


def test_given_a_session_when_nobody_uses_it_then_it_is_over_and_use_keeps_it(session: Session) -> None:
    user = a_user(session)
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    (kept,) = sign_ins.sessions_of(session, user.id)
    assert not sign_ins.is_stale(session, kept)
    kept.last_seen_at = now(session) - sign_ins.IDLE + timedelta(seconds=30)
    session.flush()
    assert sign_ins.is_stale(session, kept)
    sign_ins.seen(session, kept, "192.0.2.7")
    session.refresh(kept)
    assert not sign_ins.is_stale(session, kept) and kept.address == "192.0.2.7"
    kept.last_seen_at = now(session) - sign_ins.IDLE
    session.flush()
    assert signed_in(session, cookie) is None
    assert sign_ins.sessions_of(session, user.id) == []
    assert sign_ins.lasting(session, [kept.token_hash]) == set()


def test_given_sessions_when_they_are_ended_then_only_the_persons_own_and_not_the_excepted_one(
    session: Session,
) -> None:
    user, other = a_user(session), a_user(session)
    mine, second, third = (sign_ins.sign_in(session, user) for _ in range(3))
    others = sign_ins.sign_in(session, other)
    sign_ins.end_session(session, user.id, sign_ins.cookie_hash(others))
    sign_ins.end_session(session, user.id, sign_ins.cookie_hash(third))
    assert [signed_in(session, c) for c in (mine, second, third, others)] == [user, user, None, other]
    sign_ins.end_sessions(session, user.id, except_hash=sign_ins.cookie_hash(mine))
    assert [signed_in(session, c) for c in (mine, second, others)] == [user, None, other]
    assert sign_ins.lasting(session, list(map(sign_ins.cookie_hash, (mine, second, others)))) == set(
        map(sign_ins.cookie_hash, (mine, others))
    )
    sign_ins.end_sessions(session, user.id)
    assert signed_in(session, mine) is None and signed_in(session, others) is other


def test_given_a_new_password_when_set_then_it_alone_is_right_and_the_name_is_unlocked(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    wrong_guesses(session, "operator", 9, now(session) + timedelta(minutes=9))
    accounts.set_password(session, user.id, "another password")
    assert verify(session, "operator", PASSWORD) is None
    assert verify(session, "operator", "another password") is user
    for user_id, password, code in (
        (user.id, "r7fk2xq", "password-short"),
        (user.id, "password1", "password-trivial"),
        (user.id + 1, "another password", "not-found"),
    ):
        with pytest.raises(Refused) as refused:
            accounts.set_password(session, user_id, password)
        assert refused.value.code == code


def test_given_a_second_factor_when_it_is_reset_then_nothing_is_left_of_it_and_all_sessions_end(
    session: Session,
) -> None:
    user, other = a_user(session), a_user(session)
    for person in (user, other):
        person.totp_salt, person.totp_step = "salt", 7
        session.add(RecoveryCode(code_hash=f"hash {person.id}", user_id=person.id))
    cookie, others = sign_ins.sign_in(session, user), sign_ins.sign_in(session, other)
    accounts.reset_second_factor(session, user.id)
    assert (user.totp_salt, user.totp_step) == (None, None)
    assert other.totp_salt == "salt"
    assert session.scalars(select(RecoveryCode.user_id)).all() == [other.id]
    assert signed_in(session, cookie) is None and signed_in(session, others) is other
