"""Sessions: begun with a cookie that is not stored, and ended by people and by time."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import SignIn
from db.states import CallbackState
from hotline.people import sign_ins
from tests.factories import SECOND, a_callback, a_desk, a_user
from tests.hotline.people.signing_in import everything_stored, signed_in
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def lasting(session: Session, *cookies: str) -> dict[str, int | None]:
    asked = sign_ins.select_lasting(frozenset(map(sign_ins.hash_cookie, cookies)))
    return {token_hash: department for token_hash, department in session.execute(asked)}


def test_session_stores_only_the_hash_of_its_cookie(session: Session) -> None:
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


def test_cookie_finds_its_person_and_forgeries_nobody(
    session: Session,
) -> None:
    first, second = a_user(session, a_desk(session)), a_user(session)
    cookies = [sign_ins.sign_in(session, user) for user in (first, first, second)]
    assert len(set(cookies)) == 3
    assert [signed_in(session, cookie) for cookie in cookies] == [first, first, second]
    digest = hashlib.sha256(cookies[0].encode()).hexdigest()
    for forged in ("", "x" * 10_000, digest, cookies[0][:-1], cookies[0] + "A", "' OR 1=1 --"):
        assert signed_in(session, forged) is None


def test_expired_session_is_removed_at_the_next_sign_in(
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
def test_session_in_a_conversation_outlasts_its_end(session: Session, state: CallbackState) -> None:
    user, other = a_user(session, a_desk(session)), a_user(session, a_desk(session))
    call = a_callback(session, CallbackState.TALKING, user)
    call.state, call.screen_desk_id, call.held_until = state, user.desk_id, now(session)
    speaks, idle, silent = (sign_ins.sign_in(session, person) for person in (user, user, other))
    session.flush()
    for cookie in (speaks, silent):
        session.get_one(SignIn, sign_ins.hash_cookie(cookie)).expires_at -= timedelta(hours=13)
    session.get_one(SignIn, sign_ins.hash_cookie(idle)).last_seen_at -= timedelta(hours=3)
    session.flush()
    sign_ins.sign_in(session, other)  # which removes what is over
    assert [signed_in(session, cookie) for cookie in (speaks, idle, silent)] == [user, user, None]
    assert lasting(session, speaks) == {sign_ins.hash_cookie(speaks): None}

    call.state = CallbackState.ENDED
    session.flush()
    assert [signed_in(session, cookie) for cookie in (speaks, idle)] == [None, None]


@pytest.mark.parametrize("ended_by", ["sign_out", "end_session", "end_sessions", "disabled"])
def test_session_ended_by_a_person_ends_in_a_conversation_too(session: Session, ended_by: str) -> None:
    user = a_user(session, a_desk(session))
    a_callback(session, CallbackState.TALKING, user)
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    if ended_by == "sign_out":
        sign_ins.sign_out(session, cookie)
    elif ended_by == "end_session":
        sign_ins.end_session(session, user.id, sign_ins.hash_cookie(cookie))
    elif ended_by == "end_sessions":
        sign_ins.end_sessions(session, user.id)
    else:
        user.disabled_at = now(session)
        session.flush()
    assert signed_in(session, cookie) is None


def test_sign_out_spares_the_other_session(session: Session) -> None:
    user = a_user(session)
    gone, stays = sign_ins.sign_in(session, user), sign_ins.sign_in(session, user)
    sign_ins.sign_out(session, gone)
    sign_ins.sign_out(session, "nobody")
    assert signed_in(session, gone) is None
    assert signed_in(session, stays) is user


def test_unused_session_expires_and_use_keeps_it(session: Session) -> None:
    user = a_user(session)
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    (kept,) = sign_ins.list_sessions(session, user.id)
    assert not sign_ins.is_stale(session, kept)
    kept.last_seen_at = now(session) - sign_ins.IDLE + timedelta(seconds=30)
    session.flush()
    assert sign_ins.is_stale(session, kept)
    sign_ins.record_use(session, kept, "192.0.2.7")
    session.refresh(kept)
    assert not sign_ins.is_stale(session, kept) and kept.address == "192.0.2.7"
    kept.last_seen_at = now(session) - sign_ins.IDLE
    session.flush()
    assert signed_in(session, cookie) is None
    assert sign_ins.list_sessions(session, user.id) == []
    assert lasting(session, cookie) == {}


def test_ended_sessions_are_the_persons_except_the_given_one(
    session: Session,
) -> None:
    user, other = a_user(session), a_user(session)
    mine, second, third = (sign_ins.sign_in(session, user) for _ in range(3))
    others = sign_ins.sign_in(session, other)
    sign_ins.end_session(session, user.id, sign_ins.hash_cookie(others))
    sign_ins.end_session(session, user.id, sign_ins.hash_cookie(third))
    assert [signed_in(session, c) for c in (mine, second, third, others)] == [user, user, None, other]
    sign_ins.end_sessions(session, user.id, except_hash=sign_ins.hash_cookie(mine))
    assert [signed_in(session, c) for c in (mine, second, others)] == [user, None, other]
    assert lasting(session, mine, second, others) == dict.fromkeys(map(sign_ins.hash_cookie, (mine, others)))
    sign_ins.end_sessions(session, user.id)
    assert signed_in(session, mine) is None and signed_in(session, others) is other
