"""People who sign in: their passwords, and a lockout that grows."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Desk, FailedSignIn, RecoveryCode, Role, User
from hotline.errors import Refused
from hotline.people import accounts, lockout, sign_ins
from settings import city_file
from tests.factories import PASSWORD, SECOND, a_user, at_once, wrong_guesses
from tests.hotline.people.signing_in import everything_stored, signed_in
from tests.kit.cities import GOLRUD
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)


def verify(session: Session, username: str, password: str) -> User | None:
    right = accounts.is_right(accounts.find_hash(session, username), password)
    return accounts.verify(session, username, right=right)


def add(
    session: Session, username: str = "operator", *, desk: int | None = None, password: str = PASSWORD
) -> User:
    return accounts.add(
        session,
        username=username,
        name="نام",
        role=Role.OPERATOR,
        desk_id=desk,
        password=password,
        city=city_file.read(GOLRUD),
    )


def failures(session: Session, username: str = "operator") -> int:
    kept = session.get(FailedSignIn, lockout._hash(username), populate_existing=True)
    return kept.failures if kept else 0


def test_added_person_has_an_argon2id_password_only(session: Session) -> None:
    user = add(session, desk=7)
    assert user.password_hash.startswith("$argon2id$")
    assert (user.role, user.desk_id) == (Role.OPERATOR, 7)
    assert session.get_one(Desk, 7).phone == "browser"
    assert PASSWORD not in everything_stored(session)
    assert verify(session, "operator", PASSWORD) is user


def test_wrong_password_knows_nobody_and_counts(
    session: Session,
) -> None:
    a_user(session, username="operator")
    for count, password in enumerate(["", PASSWORD[:-1], PASSWORD + " ", "x" * 10_000], 1):
        assert verify(session, "operator", password) is None
        assert failures(session) == count


def test_unknown_name_locks_nobody_and_is_not_stored(
    session: Session,
) -> None:
    a_user(session, username="operator")
    for username in ("Operator", "' OR 1=1 --", "x" * 10_000):
        assert verify(session, username, PASSWORD) is None
        assert failures(session, username) == 1
    assert failures(session) == 0
    assert "OR 1=1" not in everything_stored(session), "somebody may have typed a password there"


def test_unfit_name_desk_or_password_is_refused(
    session: Session,
) -> None:
    add(session, "first", desk=1)
    for username, desk, password, code in (
        ("first", 2, PASSWORD, "username-taken"),
        ("second", 1, PASSWORD, "desk-taken"),
        ("second", 2, "r7fk2xq", "password-short"),
        ("second", 2, "۱۲۳۴۵۶۷۸", "password-trivial"),
        ("second", 2, "shahrdari137", "password-trivial"),
        ("second", 2, "Golrud1404", "password-trivial"),
        ("second-person", 2, "Second-Person1", "password-trivial"),
    ):
        with pytest.raises(Refused) as refused:
            add(session, username, desk=desk, password=password)
        assert refused.value.code == code
    assert session.scalars(select(User.username)).all() == ["first"]
    assert add(session, "second", desk=2, password="r7fk2xqm").id


@pytest.mark.parametrize(
    ("username", "backend"), [("operator", "sqlite"), ("nobody", "sqlite"), ("operator", "postgresql")]
)
def test_lockout_starts_after_five_and_doubles_to_900_s(session: Session, username: str) -> None:
    a_user(session, username="operator")
    for count in range(1, 6):
        assert verify(session, username, "wrong") is None
        assert failures(session, username) == count and lockout.list_locks(session, [username]) == {}
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        before = now(session)
        assert verify(session, username, "wrong") is None
        until = lockout.list_locks(session, [username])[username]
        assert before + seconds * SECOND <= until <= now(session) + seconds * SECOND
        if seconds > 60:  # else it may be over by now
            with pytest.raises(Refused, match="too many"):
                verify(session, username, PASSWORD)
        session.execute(update(FailedSignIn).values(locked_until=now(session)))  # time goes by


@pytest.mark.parametrize("is_locked", [False, True])
def test_guess_runs_equal_statements_for_any_name(engine: Engine, is_locked: bool) -> None:
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
            accounts.find_hash(session, username)
            lockout.find_locked_seconds(session, username)
            accounts.verify(session, username, right=False)
        event.remove(engine, "before_cursor_execute", note)
    assert done["operator"] == done["nobody"] != []


def test_right_password_waits_for_the_lock_to_end(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    wrong_guesses(session, "operator", 8, now(session) + timedelta(minutes=1))
    for password in (PASSWORD, "wrong"):
        with pytest.raises(Refused) as refused:
            verify(session, "operator", password)
        assert refused.value.code == "too-many-attempts"
    assert failures(session) == 8
    assert (
        lockout.find_locked_seconds(session, "operator") > 0 == lockout.find_locked_seconds(session, "other")
    )
    wrong_guesses(session, "operator", 8, now(session))
    assert verify(session, "operator", PASSWORD) is user
    assert failures(session) == 0 and lockout.list_locks(session, ["operator"]) == {}


def test_right_password_resets_the_count(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    for _ in range(4):
        verify(session, "operator", "wrong")
    assert verify(session, "operator", PASSWORD) is user
    assert failures(session) == 0


def test_guesses_older_than_a_day_are_deleted(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    for username, hours in (("old", 25), ("young", 23)):
        wrong_guesses(session, username, 9)
        session.get_one(FailedSignIn, lockout._hash(username)).last_at = now(session) - timedelta(hours=hours)
    sign_ins.sign_in(session, user)
    assert (failures(session, "old"), failures(session, "young")) == (0, 9)


@in_both
def test_simultaneous_guesses_are_all_counted(engine: Engine) -> None:
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
        assert lockout.list_locks(session, ["operator"])


def test_new_password_replaces_the_old_and_unlocks(
    session: Session,
) -> None:
    user = a_user(session, username="operator")
    wrong_guesses(session, "operator", 9, now(session) + timedelta(minutes=9))
    accounts.set_password(session, user.id, "another password", given=False)
    assert verify(session, "operator", PASSWORD) is None
    assert verify(session, "operator", "another password") is user
    for user_id, password, code in (
        (user.id, "r7fk2xq", "password-short"),
        (user.id, "password1", "password-trivial"),
        (user.id + 1, "another password", "not-found"),
    ):
        with pytest.raises(Refused) as refused:
            accounts.set_password(session, user_id, password, given=False)
        assert refused.value.code == code


def test_reset_second_factor_ends_all_sessions(
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


@pytest.mark.usefixtures("true_hashing")
@pytest.mark.parametrize("backend", ["sqlite"])
def test_hash_for_unknown_names_costs_the_same(backend: str) -> None:
    assert not accounts._HASHER.check_needs_rehash(accounts._NOBODYS)
