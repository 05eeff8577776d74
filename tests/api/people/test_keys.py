"""Keys of programs, as an administrator keeps them by the API."""

from sqlalchemy import Engine, select

from db.engine import reading
from db.models import AuditEntry, Role
from tests.api.answers import LONG, V1, As, problem


def test_issued_api_key_is_shown_once_and_revoked_for_good(as_role: As, engine: Engine) -> None:
    page = as_role(Role.ADMINISTRATOR)
    body = {"name": "شهروند همراه", "scopes": ["report", "read"], "per_minute": 30}
    answer = page.post(f"{V1}/keys", json=body)
    assert answer.status_code == 201
    key, secret = answer.json()["key"], answer.json()["secret"]
    assert secret.startswith(f"h137_{key['prefix']}_")
    assert (key["name"], key["scopes"], key["per_minute"]) == ("شهروند همراه", ["read", "report"], 30)
    assert (key["revoked_at"], key["last_used_at"]) == (None, None)
    listed = page.get(f"{V1}/keys")
    assert listed.json() == [key] and secret not in listed.text
    revoked = page.delete(f"{V1}/keys/{key['prefix']}").json()
    assert revoked["revoked_at"] is not None
    assert page.delete(f"{V1}/keys/{key['prefix']}").json() == revoked
    problem(page.delete(f"{V1}/keys/00000000"), 404, "not-found")
    with reading(engine) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"key {key['prefix']}"))
        assert [entry.action for entry in entries] == ["key-issued", "key-revoked"]


def test_invalid_api_key_values_name_their_field(as_role: As) -> None:
    page = as_role(Role.ADMINISTRATOR)
    right = {"name": "app", "scopes": ["read"], "per_minute": 60}
    for wrong in (
        {"name": ""},
        {"name": LONG},
        {"name": "\0"},
        {"scopes": []},
        {"scopes": ["write"]},
        {"scopes": ["read"] * 3},
        {"per_minute": 0},
        {"per_minute": 6001},
        {"per_minute": "x"},
    ):
        told = problem(page.post(f"{V1}/keys", json=right | wrong), 422, "invalid-input")
        assert told["field"] == next(iter(wrong))
    assert page.get(f"{V1}/keys").json() == []
