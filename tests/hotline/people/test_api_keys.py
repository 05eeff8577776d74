"""Keys of programs: shown once, counted by the database, refused at once when revoked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import ApiKey, AuditEntry
from hotline.errors import Refused
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from tests.factories import told
from tests.kit.databases import on_both
from tests.kit.refusal import refusal

__all__ = ["on_both"]


def issued(session: Session, *may: Scope, per_minute: int = 60) -> tuple[ApiKey, str]:
    return api_keys.issue(session, name=" An  app ", may=may or [*Scope], per_minute=per_minute, who="admin")


def test_used_api_key_names_its_program_and_is_stored_hashed(
    session: Session,
) -> None:
    key, secret = issued(session, Scope.REPORT)
    assert secret.startswith(f"h137_{key.prefix}_") and len(secret) > 50
    assert api_keys.use_key(session, secret) == api_keys.Program(key.id, may_read=False, may_report=True)
    session.refresh(key)
    assert key.used == 1 and key.used_minute is not None
    kept = {str(value) for name, value in vars(key).items() if not name.startswith("_")}
    assert not any(secret in value or secret[14:] in value for value in kept)
    assert key.name == "An app"
    (entry,) = session.scalars(select(AuditEntry))
    assert (entry.who, entry.action, entry.subject, entry.reason) == (
        *("admin", "key-issued"),
        *(f"key {key.prefix}", "report: An app"),
    )
    assert [(event.kind, event.what) for event in told(session)] == [("key", "issued")]


@pytest.mark.parametrize("wrong", ["", "x", "h137_", "آ" * 500, "\ud800", "h137_00000000_" + "A" * 43])
def test_invalid_api_key_is_unknown(session: Session, wrong: str) -> None:
    issued(session)
    assert refusal(api_keys.use_key, session, wrong) == "key-unknown"


def test_revoked_api_key_is_unknown_and_audited_once(
    session: Session,
) -> None:
    key, secret = issued(session)
    api_keys.use_key(session, secret)
    first = api_keys.revoke(session, key.prefix, who="admin").revoked_at
    assert refusal(api_keys.use_key, session, secret) == "key-unknown"
    assert api_keys.revoke(session, key.prefix, who="admin").revoked_at == first
    revoked = select(AuditEntry).where(AuditEntry.action == "key-revoked")
    assert len(session.scalars(revoked).all()) == 1
    assert refusal(api_keys.revoke, session, "00000000", who="admin") == "not-found"


def test_exhausted_minute_is_refused_until_the_next(
    session: Session,
) -> None:
    key, secret = issued(session, per_minute=3)
    other = issued(session)[1]

    def until_refused() -> int:
        """A minute may end in the middle: then its uses begin anew."""
        for used in range(7):
            try:
                api_keys.use_key(session, secret)
            except Refused as refused:
                assert refused.code == "key-too-often"
                assert refused.after_s is not None and 1 <= refused.after_s <= 60
                return used
        return 7

    assert until_refused() in (3, 4, 5, 6)
    api_keys.use_key(session, other)  # each has its own
    session.refresh(key)
    assert key.used == 3 and key.used_minute is not None
    earlier = key.used_minute - timedelta(minutes=1)
    session.execute(update(ApiKey).where(ApiKey.id == key.id).values(used_minute=earlier))
    api_keys.use_key(session, secret)
    session.refresh(key)
    assert key.used == 1


def test_simultaneous_uses_stay_within_the_limit(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        key, secret = issued(session, per_minute=5)

    def use(_n: int) -> bool:
        try:
            with writing(engine) as session:
                api_keys.use_key(session, secret)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        came_in = sum(pool.map(use, range(24)))
    with writing(engine) as session:
        used = session.get_one(ApiKey, key.id).used
    assert used == 5 and came_in in range(5, 11), "twice as many, if a minute ended in between"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": " "}, "key-values"),
        ({"name": "x" * 101}, "key-values"),
        ({"name": "an\u202eapp"}, "unfit-characters"),
        ({"may": []}, "key-values"),
        ({"per_minute": 0}, "key-values"),
        ({"per_minute": 6001}, "key-values"),
    ],
)
def test_invalid_api_key_values_are_refused(session: Session, values: dict[str, object], code: str) -> None:
    right = {"name": "An app", "may": [Scope.READ], "per_minute": 60, "who": "admin"}
    assert refusal(api_keys.issue, session, **right | values) == code


def test_revoked_api_keys_are_listed_last(session: Session) -> None:
    old, new, gone = (issued(session)[0] for _ in range(3))
    api_keys.revoke(session, gone.prefix, who="admin")
    assert [key.id for key in api_keys.list_all(session)] == [new.id, old.id, gone.id]
