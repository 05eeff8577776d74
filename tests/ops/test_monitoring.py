"""The alarms and the dashboard that come along: they speak when they should, of metrics that there are."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import now, writing
from db.models import Delivery, DeliveryFailure, Heartbeat, OutboxKind, OutboxMessage, SmsAccount
from hotline import heartbeats, inspections
from hotline.directory import state as directory_state
from hotline.nodes import leases
from hotline.trunk import circuit_breaker, selection
from settings import Settings
from tests.api.answers import HERE
from tests.kit import seed_city
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.process import need

FOLDER = Path(__file__).parents[2] / "ops" / "monitoring"
RULES, PLAYED = (FOLDER / "rules.yml").read_text(), (FOLDER / "rules_test.yml").read_text()
ALARMS = (FOLDER.parents[1] / "docs" / "operate" / "alarms.md").read_text()
NAMES = re.findall(r"alert: (\w+)", RULES)


@pytest.fixture
def said(settings: Settings, engine: Engine) -> str:
    """The metrics of a city that has everything."""
    seed_city.fill(engine)
    with writing(engine) as session:
        at = now(session)
        session.merge(SmsAccount(provider="kavenegar", credit=5.0, asked_at=at))
        circuit_breaker.record_options(session, yes=True)
        directory_state.record(session, directory_state.LDAP)
        selection.record_latency(session, "trunk", 20.0)
        selection.record_registration(session, "trunk", yes=True)
        session.merge(Heartbeat(process=f"{heartbeats.JOB}seal", at=at, fresh_s=60))
        leases.take_only(session, settings)
        for state in (Delivery.PENDING, Delivery.FAILED):
            message = OutboxMessage(
                key=state,
                kind=OutboxKind.REGISTERED,
                to="+989131110001",
                body="{}",
                why=DeliveryFailure.CREDIT,
            )
            message.made_at = message.not_before = at
            message.state = state
            session.add(message)
    everything = {"sms_provider": "kavenegar", "sms_kavenegar_key": "k", "ldap_url": ("ldap://127.0.0.1:9",)}
    everything["backup_dir"] = settings.state_dir
    inspections.write(settings, certificates={"HOTLINE_PUBLIC_URL": at.timestamp()})
    ours = settings.model_copy(update=everything)
    return TestClient(create(ours), client=HERE).get("/metrics").text


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [need("promtool", "prometheus"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_each_alarm_says_who_is_told() -> None:
    first = {"critical": "the technician on call, by telephone", "warning": "the technician, by mail"}
    severities = dict(re.findall(r"alert: (\w+)(?:.|\n)*?severity: (\w+)", RULES))
    assert set(severities) == set(NAMES)
    for name, severity in severities.items():
        said = ALARMS.partition(f"### {name}\n")[2].partition("\n")[0]
        assert said.startswith(f"**Who** ({severity}): {first.get(severity, '')}"), name


def test_alert_rules_pass_their_promtool_tests(
    tmp_path: Path,
) -> None:
    promtool("check", "config", "--lint=all", "--lint-fatal", FOLDER / "prometheus.yml")
    text = re.sub(r"^  # (?=[- ] )", "  ", (FOLDER / "prometheus.yml").read_text(), flags=re.MULTILINE)
    assert "\n  - job_name: hotline-proxy" in text
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "rules.yml").write_text(RULES)
    promtool("check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml")
    promtool("test", "rules", FOLDER / "rules_test.yml")


def test_each_alert_is_tested_both_ways_and_documented() -> None:
    cases = PLAYED.split("  - name: ")[1:]
    by_name = {name: [case for case in cases if f"alertname: {name}\n" in case] for name in NAMES}
    (always,) = re.findall(r"alert: (\w+)\n +expr: vector\(1\)", RULES)
    for name, mine in by_name.items():
        both = {False} if name == always else {True, False}
        assert {"exp_alerts: []" in case for case in mine} == both, name
    paragraphs = re.findall(r"^### (\w+)\n\*\*Who.+\n(.+)", ALARMS, re.MULTILINE)
    assert sorted(head for head, _ in paragraphs) == sorted(NAMES)
    assert all(" **Do:** " in words for _, words in paragraphs)


def test_each_metric_of_rules_and_dashboard_exists(said: str) -> None:
    there = {re.split(r"[ {]", line)[0] for line in said.splitlines() if line[0] != "#"}
    proxy = (FOLDER.parents[1] / "dialplan" / "kamailio" / "kamailio.cfg").read_text()
    (beginning,) = re.findall(r'"xhttp_prom_beginning", "(\w+)"', proxy)
    there |= {beginning + name for name in re.findall(r'"prom_counter", "name=(\w+)', proxy)}
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = set(re.findall(r"\b(?:hotline|process)_\w+\b", " ".join([*asked, RULES])))
    assert len(asked) > 20
    assert used - there == set()
    shown = {
        name
        for name in there
        if name.startswith("hotline_") and not name.endswith(("_sum", "_count", "_created"))
    }
    assert shown - used == set(), "a metric that nobody looks at"
