"""People who sign in: passwords, a lockout that grows, sessions that end."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import Engine, MetaData, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Desk, RecoveryCode, Role, SignIn, User
from hotline import users
from hotline.errors import Refused
from tests.factories import PASSWORD, SECOND, a_desk, a_user, at_once


def verify(session: Session, username: str, password: str) -> User | None:
    right = users.is_right(users.known_hash(session, username), password)
    return users.verify(session, username, right=right)


def add(
    session: Session, username: str = "operator", *, desk: int | None = None, password: str = PASSWORD
) -> User:
    return users.add(
        session, username=username, name="نام", role=Role.OPERATOR, desk_id=desk, password=password
    )


def signed_in(session: Session, cookie: str) -> User | None:
    found = users.session_of(session, cookie)
    return found.user if found else None


def everything_stored(session: Session) -> str:
    """Every value of every table, as one text."""
    tables = MetaData()
    tables.reflect(session.connection())
    return repr([session.execute(select(table)).all() for table in tables.sorted_tables])


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
    user = a_user(session, username="operator")
    for count, password in enumerate(["", PASSWORD[:-1], PASSWORD + " ", "x" * 10_000], 1):
        assert verify(session, "operator", password) is None
        assert user.failures == count


def test_given_an_unknown_name_when_verified_then_nobody_is_known(session: Session) -> None:
    user = a_user(session, username="operator")
    for username in ("Operator", "' OR 1=1 --", "x" * 10_000):
        assert verify(session, username, PASSWORD) is None
    assert user.failures == 0


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


def test_given_wrong_passwords_when_they_go_on_then_five_are_free_and_the_lock_doubles_up_to_900_seconds(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    for failures in range(1, 6):
        assert verify(session, "operator", "wrong") is None
        assert (user.failures, user.locked_until) == (failures, None)
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        before = now(session)
        assert verify(session, "operator", "wrong") is None
        assert user.locked_until is not None
        assert before + seconds * SECOND <= user.locked_until <= now(session) + seconds * SECOND
        user.locked_until = now(session)  # time goes by


def test_given_a_locked_name_when_even_the_right_password_comes_then_it_is_refused_until_the_lock_is_over(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    user.failures, user.locked_until = 8, now(session) + timedelta(minutes=1)
    session.flush()
    for password in (PASSWORD, "wrong"):
        with pytest.raises(Refused) as refused:
            verify(session, "operator", password)
        assert refused.value.code == "too-many-attempts"
    assert user.failures == 8
    user.locked_until = now(session)
    session.flush()
    assert verify(session, "operator", PASSWORD) is user
    assert (user.failures, user.locked_until) == (0, None)


def test_given_four_failures_when_the_right_password_comes_then_the_count_begins_anew(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    user.failures = 4
    session.flush()
    assert verify(session, "operator", PASSWORD) is user
    assert user.failures == 0


def test_given_one_name_when_ten_guess_at_once_then_no_failure_goes_uncounted(engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session, username="operator")

    def guess(_: int) -> str:
        try:
            with writing(engine) as session:
                return str(verify(session, "operator", "wrong"))
        except Refused as refused:
            return refused.code

    guesses = at_once(10, guess)
    assert set(guesses) == {"None", "too-many-attempts"}
    with reading(engine) as session:
        kept = session.get_one(User, user.id)
        assert kept.failures == guesses.count("None") >= 6
        assert kept.locked_until is not None


def test_given_a_session_when_begun_then_only_the_hash_of_its_cookie_is_stored(session: Session) -> None:
    user = a_user(session)
    before = now(session)
    cookie = users.sign_in(session, user)
    session.flush()
    kept = session.scalars(select(SignIn)).one()
    assert kept.token_hash == hashlib.sha256(cookie.encode()).hexdigest()
    assert kept.user_id == user.id
    assert before + timedelta(hours=12) <= kept.expires_at <= now(session) + timedelta(hours=12)
    assert cookie not in everything_stored(session)
    assert len(cookie) >= 43
    assert before <= kept.created_at == kept.last_seen_at
    users.sign_in(session, user, address="x" * 100, agent="y" * 1000)
    session.flush()


def test_given_sessions_when_asked_by_cookie_then_each_finds_its_person_and_others_nobody(
    session: Session,
) -> None:
    first, second = a_user(session, a_desk(session)), a_user(session)
    cookies = [users.sign_in(session, user) for user in (first, first, second)]
    assert len(set(cookies)) == 3
    assert [signed_in(session, cookie) for cookie in cookies] == [first, first, second]
    digest = hashlib.sha256(cookies[0].encode()).hexdigest()
    for forged in ("", "x" * 10_000, digest, cookies[0][:-1], cookies[0] + "A", "' OR 1=1 --"):
        assert signed_in(session, forged) is None


def test_given_a_session_when_its_time_is_over_then_it_is_nobody_and_the_next_sign_in_removes_it(
    session: Session,
) -> None:
    user = a_user(session)
    old, lasting = users.sign_in(session, user), users.sign_in(session, user)
    session.flush()
    kept = session.get_one(SignIn, hashlib.sha256(old.encode()).hexdigest())
    kept.expires_at = now(session)
    session.flush()
    assert signed_in(session, old) is None
    kept.expires_at -= SECOND
    session.flush()
    new = users.sign_in(session, user)
    session.flush()
    hashes = {hashlib.sha256(cookie.encode()).hexdigest() for cookie in (lasting, new)}
    assert set(session.scalars(select(SignIn.token_hash))) == hashes


def test_given_two_sessions_when_one_signs_out_then_the_other_stays(session: Session) -> None:
    user = a_user(session)
    gone, stays = users.sign_in(session, user), users.sign_in(session, user)
    users.sign_out(session, gone)
    users.sign_out(session, "nobody")
    assert signed_in(session, gone) is None
    assert signed_in(session, stays) is user


def test_given_a_session_when_nobody_uses_it_then_it_is_over_and_use_keeps_it(session: Session) -> None:
    user = a_user(session)
    cookie = users.sign_in(session, user)
    session.flush()
    (kept,) = users.sessions_of(session, user.id)
    assert not users.is_stale(session, kept)
    kept.last_seen_at = now(session) - users.IDLE + timedelta(seconds=30)
    session.flush()
    assert users.is_stale(session, kept)
    users.seen(session, kept, "192.0.2.7")
    session.refresh(kept)
    assert not users.is_stale(session, kept) and kept.address == "192.0.2.7"
    kept.last_seen_at = now(session) - users.IDLE
    session.flush()
    assert signed_in(session, cookie) is None
    assert users.sessions_of(session, user.id) == []
    assert users.lasting(session, [kept.token_hash]) == set()


def test_given_sessions_when_they_are_ended_then_only_the_persons_own_and_not_the_excepted_one(
    session: Session,
) -> None:
    user, other = a_user(session), a_user(session)
    mine, second, third = (users.sign_in(session, user) for _ in range(3))
    others = users.sign_in(session, other)
    users.end_session(session, user.id, users.cookie_hash(others))
    users.end_session(session, user.id, users.cookie_hash(third))
    assert [signed_in(session, c) for c in (mine, second, third, others)] == [user, user, None, other]
    users.end_sessions(session, user.id, except_hash=users.cookie_hash(mine))
    assert [signed_in(session, c) for c in (mine, second, others)] == [user, None, other]
    assert users.lasting(session, list(map(users.cookie_hash, (mine, second, others)))) == set(
        map(users.cookie_hash, (mine, others))
    )
    users.end_sessions(session, user.id)
    assert signed_in(session, mine) is None and signed_in(session, others) is other


def test_given_a_new_password_when_set_then_it_alone_is_right_and_the_name_is_unlocked(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    user.failures, user.locked_until = 9, now(session) + timedelta(minutes=9)
    users.set_password(session, user.id, "another password")
    assert verify(session, "operator", PASSWORD) is None
    assert verify(session, "operator", "another password") is user
    for user_id, password, code in (
        (user.id, "r7fk2xq", "password-short"),
        (user.id, "password1", "password-trivial"),
        (user.id + 1, "another password", "not-found"),
    ):
        with pytest.raises(Refused) as refused:
            users.set_password(session, user_id, password)
        assert refused.value.code == code


def test_given_a_second_factor_when_it_is_reset_then_nothing_is_left_of_it_and_all_sessions_end(
    session: Session,
) -> None:
    user, other = a_user(session), a_user(session)
    for person in (user, other):
        person.totp_salt, person.totp_step = "salt", 7
        session.add(RecoveryCode(code_hash=f"hash {person.id}", user_id=person.id))
    cookie, others = users.sign_in(session, user), users.sign_in(session, other)
    users.reset_second_factor(session, user.id)
    assert (user.totp_salt, user.totp_step) == (None, None)
    assert other.totp_salt == "salt"
    assert session.scalars(select(RecoveryCode.user_id)).all() == [other.id]
    assert signed_in(session, cookie) is None and signed_in(session, others) is other
