"""The command line for a person who cannot get in, or must not any more."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import reading, writing
from db.models import AuditEntry, SignIn, User
from hotline.people import accounts, sign_ins
from ops.cli import app
from settings import Settings
from tests.factories import a_user
from tests.kit.ports import free_port

NEW = "another password"


def test_reset_of_a_person_by_command_is_audited(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)

    def run(*words: str) -> tuple[int, int]:
        """The exit code, and how many of two sessions the command left."""
        with writing(engine) as session:
            user = session.scalars(select(User)).one()
            sign_ins.end_sessions(session, user.id)
            for _ in range(2):
                sign_ins.sign_in(session, user)
        code = CliRunner().invoke(app, ["user", *words]).exit_code
        with reading(engine) as session:
            return code, len(session.scalars(select(SignIn)).all())

    with writing(engine) as session:
        a_user(session, username="mayor").totp_salt = "salt"
    assert run("password", "mayor", "--new", "12345678") == (1, 2)
    assert run("password", "nobody", "--new", NEW) == (1, 2)
    assert run("end-sessions", "mayor") == (0, 0)
    assert run("reset-second-factor", "mayor") == (0, 0)
    assert run("password", "mayor", "--new", NEW) == (0, 0)
    with reading(engine) as session:
        user = session.scalars(select(User)).one()
        assert user.totp_salt is None and accounts.is_right(user.password_hash, NEW)
        on_record = [
            (e.who, e.action, e.subject) for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        ]
    done = ("sessions-ended", "second-factor-reset", "password-set")
    assert on_record == [("command line", each, "person mayor") for each in done]


def test_missing_tables_are_reported_with_the_command(
    settings: Settings, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", empty_database)
    done = CliRunner().invoke(app, ["user", "end-sessions", "mayor"])
    assert done.exit_code == 1
    assert "db upgrade" in done.output


@pytest.mark.parametrize("command", [["user", "end-sessions", "mayor"], ["audit"], ["db", "upgrade"]])
@pytest.mark.parametrize(
    "address", ["sqlite:///{}/nowhere/hotline.db", "postgresql+psycopg://a:geheim@127.0.0.1:{}/x"]
)
def test_unreachable_database_is_reported_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], address: str
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv(
        "HOTLINE_DATABASE_URL", address.format(tmp_path if "sqlite" in address else free_port())
    )
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert "the database does not answer" in done.output and "hotline137 doctor" in done.output
    assert "geheim" not in done.output
