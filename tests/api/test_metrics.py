"""The metrics for Prometheus: the right figures of both databases, for insiders, without personal data."""

import re
import subprocess
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families as families
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import OperationalError

from api.app import create
from api.metrics import make_registry
from db.engine import connect, now, reading, writing
from db.models import (
    Breaker,
    Callback,
    Delivery,
    Heartbeat,
    Incoming,
    IncomingCalls,
    OutboxKind,
    OutboxMessage,
    PlacedCall,
    Registration,
    Role,
    Round,
    SmsAccount,
    User,
)
from db.states import CallbackState, Outcome
from hotline import backups, heartbeats
from hotline.backups import Status
from hotline.control import live_metrics
from hotline.control.counters import Counters
from hotline.line import busy_numbers
from hotline.trunk import circuit_breaker, selection
from settings import Settings
from tests.api.answers import HERE, As, problem
from tests.factories import HOUR, MINUTE, SECOND, a_callback, some_registrations
from tests.kit import seed_city
from tests.kit.databases import in_both
from tests.kit.postgres import Postgres
from tests.kit.process import need

AT = "2026-01-02T03:04:05+00:00"
Figures = Callable[[], dict[str, float]]


@pytest.fixture
def figures(insider: TestClient) -> Figures:
    """Scrapes: each value by its name and labels, as Prometheus writes them."""

    def scrape() -> dict[str, float]:
        answer = insider.get("/metrics")
        assert answer.status_code == 200
        return read(answer.text)

    return scrape


def read(said: str) -> dict[str, float]:
    found = {}
    for family in families(said):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


# Who may


def test_metrics_are_refused_to_outsiders(
    nobody: TestClient, as_role: As, settings: Settings, engine: Engine
) -> None:
    for page in (nobody, as_role(Role.ADMINISTRATOR)):
        problem(page.get("/metrics"), 403, "forbidden")
    app = create(settings.model_copy(update={"metrics_token": "a-token-of-a-city"}))
    away = TestClient(app, client=("203.0.113.5", 50_000), raise_server_exceptions=False)
    problem(away.get("/metrics", headers={"Authorization": "Bearer another-token-x"}), 403, "forbidden")
    shown = away.get("/metrics", headers={"Authorization": "Bearer a-token-of-a-city"})
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert "a-token-of-a-city" not in shown.text


def test_openmetrics_format_is_negotiated(insider: TestClient) -> None:
    newer = insider.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.text.endswith("# EOF\n")
    assert insider.get("/metrics").headers["content-type"].startswith("text/plain")


# What it says


@in_both
def test_live_round_counts_waiting_talking_and_called(figures: Figures, engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        talk = a_callback(session, CallbackState.TALKING)
        talk.called_at = at - 2 * MINUTE
        some_registrations(session, session.get_one(Round, talk.round_id), 3)
        over = a_callback(session)
        over.state, over.outcome = CallbackState.CLOSED, Outcome.BUSY
        session.add(IncomingCalls(hour=at, kind=Incoming.TURNED_AWAY, calls=4))
        session.add(_message(at, 10, "kavenegar"))
    found = figures()
    assert found["hotline_database_up"] == 1
    assert found["hotline_rounds{phase=live}"] == found["hotline_officials_live"] == 2
    assert found["hotline_officials_speaking"] == 1
    assert found["hotline_official_idle_ratio"] == 0
    assert found["hotline_line_waiting{line=rounds}"] == 3
    assert found["hotline_registrations{phase=live,state=waiting}"] == 3
    assert found["hotline_registrations{phase=live,state=calling}"] == 2
    assert found["hotline_attempts_total{outcome=busy}"] == 1
    assert found["hotline_incoming_calls_total{kind=turned_away}"] == 4
    assert found["hotline_outbox_messages{kind=registered,provider=kavenegar}"] == 1


def test_figures_match_the_tables(figures: Figures, engine: Engine, settings: Settings) -> None:
    seed_city.fill(engine)
    with writing(engine) as session:
        at = now(session)
        session.add(PlacedCall(token="callback-1", number="+989131110001", at=at))
        session.add(SmsAccount(provider="kavenegar", credit=5.0, asked_at=at))
        for minutes, provider in ((10, "kavenegar"), (5, "")):
            session.add(_message(at, minutes, provider))
        session.merge(Heartbeat(process=f"{heartbeats.JOB}seal", at=at - 90 * SECOND, fresh_s=60))
    found = figures()
    with reading(engine) as session:
        outcomes = dict(session.execute(text("SELECT outcome, count(*) FROM callbacks GROUP BY 1")).all())
        incoming = dict(session.execute(text("SELECT kind, sum(calls) FROM incoming_calls GROUP BY 1")).all())
        waiting = session.scalar(
            text(
                "SELECT count(*) FROM registrations JOIN rounds ON rounds.id = round_id "
                "WHERE state = 'waiting' AND opened_at IS NOT NULL AND ended_at IS NULL "
                "AND NOT is_operators_line"
            )
        )
        callers = busy_numbers.count_callers(session)
    assert found["hotline_database_up"] == 1
    for outcome in Outcome:
        assert found[f"hotline_attempts_total{{outcome={outcome}}}"] == outcomes.get(outcome, 0)
    for kind in Incoming:
        assert found[f"hotline_incoming_calls_total{{kind={kind}}}"] == incoming.get(kind, 0)
    assert found["hotline_line_waiting{line=rounds}"] == waiting > 0
    assert found["hotline_registrations{phase=live,state=waiting}"] >= waiting
    assert found["hotline_line_oldest_wait_seconds{line=rounds}"] > 0
    assert found["hotline_officials_live"] >= found["hotline_officials_speaking"] >= 1
    assert 0 <= found["hotline_official_idle_ratio"] <= 1
    assert found["hotline_calls{direction=in}"] == callers
    assert found["hotline_calls{direction=out}"] == 1
    assert found["hotline_calls_limit{direction=in}"] == settings.callers_at_once
    assert found["hotline_outbox_messages{kind=registered,provider=kavenegar}"] == 1
    assert 595 < found["hotline_outbox_oldest_due_seconds{kind=registered}"] < 660
    assert 85 < found["hotline_job_age_seconds{task=seal}"] < 150
    assert found["hotline_job_limit_seconds{task=seal}"] == 60
    assert "hotline_sms_credit{provider=kavenegar}" not in found, "it is no provider of ours any more"


def _message(at: datetime, minutes: int, provider: str) -> OutboxMessage:
    made = at - minutes * MINUTE
    return OutboxMessage(
        key=f"made-{minutes}",
        kind=OutboxKind.REGISTERED,
        to="+989131110001",
        body="{}",
        made_at=made,
        not_before=made,
        provider=provider,
        state=Delivery.PENDING,
    )


def test_trunk_outage_shows_in_breaker_and_caps(figures: Figures, engine: Engine) -> None:
    with writing(engine) as session:
        for process in ("ivr", "dialer", "asterisk"):
            heartbeats.beat(session, process)
    before = figures()
    assert {before[f"hotline_calls_down{{why={why}}}"] for why in ("trunk", "scripts", "ivr")} == {0}
    assert "hotline_trunk_answers" not in before
    with writing(engine) as session:
        for call in range(circuit_breaker.FAILURES):
            circuit_breaker.record_failure(session, circuit_breaker.TRUNK, f"callback-{call}")
        session.get_one(Breaker, circuit_breaker.TRUNK).answers = False
    found = figures()
    assert found["hotline_calls_down{why=trunk}"] == found["hotline_calls_capped{cap=line-down}"] == 1
    assert found["hotline_trunk_answers"] == 0
    assert found["hotline_process_up{process=asterisk}"] == 1
    assert found["hotline_process_up{process=scheduler}"] == 0
    assert found["hotline_control_alarms{kind=calls-down}"] == 1
    assert found["hotline_trunk_up{trunk=trunk}"] == 0


def test_trunks_are_labelled_by_their_settings_name(engine: Engine, settings: Settings) -> None:
    (one,) = settings.trunks
    names = ("first", "second")
    several = settings.model_copy(
        update={"trunks": tuple(one.model_copy(update={"name": name}) for name in names)}
    )
    with writing(engine) as session:
        selection.record_failure(session, "first", "callback-1", 0)
        selection.record_options(session, "second", yes=True)
        selection.record_latency(session, "second", 20.0)
        selection.record_registration(session, "second", yes=True)
        selection.record_success(session, "second", calls=7)
        selection.record_success(session, "taken-out")
    with TestClient(create(several), client=HERE) as client:
        found = read(client.get("/metrics").text)
    assert {name: value for name, value in found.items() if "{trunk=" in name} == {
        "hotline_trunk_up{trunk=first}": 0,
        "hotline_trunk_up{trunk=second}": 1,
        "hotline_trunk_unheard{trunk=first}": 0,
        "hotline_trunk_unheard{trunk=second}": 0,
        "hotline_trunk_latency_seconds{trunk=second}": 0.02,
        "hotline_trunk_registered{trunk=second}": 1,
        "hotline_trunk_calls_total{trunk=first}": 0,
        "hotline_trunk_calls_total{trunk=second}": 7,
        "hotline_trunk_failures_total{trunk=first}": 1,
        "hotline_trunk_failures_total{trunk=second}": 0,
    }


def test_exhausted_account_shows_as_sms_trouble(settings: Settings, engine: Engine) -> None:
    ours = {"sms_provider": "kavenegar", "sms_kavenegar_key": "k", "sms_least_credit": {"kavenegar": 10.0}}
    with writing(engine) as session:
        session.add(SmsAccount(provider="kavenegar", credit=5.0, asked_at=now(session)))
    page = TestClient(create(settings.model_copy(update=ours)), client=HERE)
    found = read(page.get("/metrics").text)
    assert found["hotline_sms_credit{provider=kavenegar}"] == 5
    assert found["hotline_sms_trouble{provider=kavenegar}"] == found["hotline_sms_providers"] == 1


@pytest.mark.parametrize(
    ("status", "at", "ok"),
    [
        (None, 0, 0),
        (Status(at=AT, ok=True, path="/b", good_at=AT, good_path="/b"), 1767323045, 1),
        (Status(at="2026-01-03T03:04:05+00:00", good_at=AT, good_path="/b", error="no room"), 1767323045, 0),
        (Status(at=AT, error="no room"), 0, 0),
    ],
)
def test_backup_metric_is_the_last_good_time(
    figures: Figures, settings: Settings, status: Status | None, at: int, ok: int
) -> None:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    if status:
        backups.write(settings, status)
    found = figures()
    assert (found["hotline_backup_timestamp_seconds"], found["hotline_backup_ok"]) == (at, ok)


def test_transaction_times_are_measured_by_kind(app: FastAPI, insider: TestClient, figures: Figures) -> None:
    count = "hotline_api_transaction_seconds_count"
    before = figures()
    insider.get("/readyz")
    after = figures()
    assert after[f"{count}{{mode=write}}"] == before[f"{count}{{mode=write}}"] + 1
    assert after[f"{count}{{mode=read}}"] > before[f"{count}{{mode=read}}"]
    assert after["process_resident_memory_bytes"] > 0


def test_absent_database_is_reported_by_the_metrics(app: FastAPI, figures: Figures, engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("ALTER TABLE heartbeats RENAME TO gone"))
    found = figures()
    assert found["hotline_database_up"] == 0
    assert found["hotline_state_disk_free_bytes"] > 0
    assert not any(name.startswith("hotline_calls") for name in found)
    with writing(engine) as session:
        session.execute(text("ALTER TABLE gone RENAME TO heartbeats"))
    assert figures()["hotline_database_up"] == 1


def test_unwritable_database_alone_is_down(figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "is_silent", lambda _engine: True)
    found = figures()
    assert found["hotline_database_up"] == 0
    assert not any(name.startswith("hotline_process_up") for name in found)
    monkeypatch.undo()
    assert figures()["hotline_database_up"] == 1


def test_metrics_hold_no_number_and_no_name(insider: TestClient, engine: Engine) -> None:
    seed_city.fill(engine)
    said = insider.get("/metrics").text
    with reading(engine) as session:
        numbers = set(session.scalars(select(Registration.number))) | set(
            session.scalars(select(Registration.ticket))
        )
        names = {part for user in session.scalars(select(User)) for part in (user.username, user.name)}
    assert len(numbers) > 20 and len(names) > 3
    assert not [each for each in numbers if each.lstrip("+") in said or each.removeprefix("+98") in said]
    assert not [each for each in names if f'"{each}"' in said]


def test_promtool_accepts_the_metric_names(insider: TestClient, engine: Engine) -> None:
    seed_city.fill(engine)
    said = insider.get("/metrics").text
    checked = subprocess.run(
        [need("promtool", "prometheus"), "check", "metrics"],
        input=said,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    helps = [line for line in said.splitlines() if line.startswith("# HELP hotline_")]
    assert len(helps) > 25 and all(line.isascii() and line.endswith(".") for line in helps)


# What only grows


@in_both
def test_attempts_are_counted_once_in_any_order(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.control.counters._LATER", 2)
    with writing(engine) as session:
        made = [a_callback(session).id for _ in range(12)]
    totals, counted = Counters(), []
    for ended in (made[3], made[0], *made[4:9], made[11], made[1], made[2], made[9], made[10]):
        with writing(engine) as session:
            one = session.get_one(Callback, ended)
            one.state, one.outcome = CallbackState.CLOSED, Outcome.BUSY
        with reading(engine) as session:
            counted.append(totals.outcomes(session)[Outcome.BUSY])
    assert counted == list(range(1, 13))
    assert totals._until_id >= made[8], "what is settled is not looked at again"


@in_both
def test_hourly_callers_only_add_up(engine: Engine) -> None:
    totals = Counters()
    with writing(engine) as session:
        at = now(session).replace(minute=0, second=0, microsecond=0)
        for hours, calls in ((50, 7), (3, 5), (0, 2)):
            row = IncomingCalls(hour=at - hours * HOUR, kind=Incoming.ANSWERED, calls=calls)
            session.add(row)
    with reading(engine) as session:
        assert totals.incoming(session)[Incoming.ANSWERED] == 14
    with writing(engine) as session:
        session.get_one(IncomingCalls, (at, Incoming.ANSWERED)).calls = 4
    with reading(engine) as session:
        assert totals.incoming(session)[Incoming.ANSWERED] == 16
        assert totals.incoming(session)[Incoming.ANSWERED] == 16


def test_scrape_reads_no_large_table_whole(engine: Engine, settings: Settings) -> None:
    seed_city.fill(engine)
    asked: list[tuple[str, Any]] = []
    totals = Counters()
    for _ in range(2):
        with reading(engine) as session:
            listen = partial(_note, asked)
            event.listen(engine, "before_cursor_execute", listen)
            live_metrics.read(session, settings, totals)
            event.remove(engine, "before_cursor_execute", listen)
    plans = {}
    with engine.connect() as connection:
        for statement, parameters in asked:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans[statement] = [str(step.detail) for step in steps]
    assert len(plans) > 20
    big = re.compile(r"SCAN (callbacks|registrations|outbox|placed_calls|events|incoming_calls)\b")
    small = ("one_live_callback", "callbacks_on_the_line")  # indexes of what is under way alone
    read = [step for plan in plans.values() for step in plan if big.match(step)]
    assert not [step for step in read if not any(index in step for index in small)], plans


def _note(asked: list[tuple[str, Any]], _c: Any, _k: Any, statement: str, parameters: Any, *_: Any) -> None:
    asked.append((statement, parameters))


def test_error_in_a_measured_transaction_is_the_databases(postgres: Postgres, settings: Settings) -> None:
    engine = connect(postgres.create_database("measured"))
    make_registry(engine, settings)
    try:
        with pytest.raises(OperationalError), writing(engine) as session:
            session.execute(text("SELECT 1"))
            postgres.end_connections()
            session.execute(text("SELECT 1"))
    finally:
        engine.dispose()


def test_admitted_callers_are_reported(figures: Figures, settings: Settings) -> None:
    (settings.state_dir / "asterisk").mkdir(parents=True, exist_ok=True)
    assert "hotline_callers_admitted" not in figures(), "an API alone lets nobody in"
    for written, told in (("120", 120), ("", None)):
        (settings.state_dir / "asterisk" / "callers-admitted").write_text(written)
        assert figures().get("hotline_callers_admitted") == told
