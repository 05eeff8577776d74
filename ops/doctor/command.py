"""All checks at once, each for a few seconds at most; their findings, for people and for programs."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from ops.doctor import certificates, directories, machine, stored, telephone, units
from ops.doctor.findings import (
    LATE_S,
    Finding,
    Known,
    Look,
    State,
    fail,
    find_missing_connection,
    report_ok,
    warn,
)
from settings import SECRETS, Settings, SettingsError, describe_origin, list_old_names, load

LOOKS: dict[str, Look] = {
    "version": machine.report_versions,
    "clock": stored.check_clock,
    "NTP": machine.check_ntp,
    "database": stored.check_database,
    "systemd": units.check_units,
    "processes": stored.check_processes,
    "nodes": stored.check_nodes,
    "asterisk": telephone.check_asterisk,
    "AMI": telephone.check_manager,
    "trunk": stored.check_trunks,
    "ports": telephone.check_ports,
    "desks": stored.check_desk_phones,
    "websocket": telephone.check_websocket,
    "certificates": certificates.check_certificates,
    "SIP certificate": certificates.check_trunk_certificate,
    "links": machine.check_links,
    "disk": machine.check_space,
    "permissions": machine.check_permissions,
    "database files": stored.check_database_files,
    "prompts": machine.check_prompts,
    "backup": machine.check_backup,
    "text messages": stored.check_text_messages,
    "directory": directories.check_directories,
    "trial": telephone.check_trial_functions,
}
_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red"}
_EXIT = {State.OK: 0, State.WARNING: 1, State.FAULT: 2}
_SECRET = 6
"""Length from which a value counts as a secret; a shorter one may be a common word."""
_NO_OTHERS: dict[str, Any] = {}


def print_findings(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Print faults and their remedies; exit 0: none, 1: warnings, 2: faults. It changes nothing."""
    all_of_it, settings = examine()
    hidden = _hidden(settings)
    found = [_without(hidden, each) for each in all_of_it]
    worst = max((each.state for each in found), key=lambda state: _EXIT[state])
    if as_json:
        told = {"worst": worst, "findings": [vars(each) for each in found]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    for each in () if as_json else found:
        head = typer.style(f"{each.state:<8}", fg=_COLOURS[each.state])
        typer.echo(f"{head} {each.name:<14} {each.said}")
        if each.do:
            typer.echo(f"{'':<24}→ {each.do}")
    raise typer.Exit(_EXIT[worst])


def examine() -> tuple[Sequence[Finding], Settings | None]:
    """Return all findings, and the settings if they can be read."""
    wrong: list[Finding] = []
    try:
        settings = load()
    except (SettingsError, OSError) as error:
        wrong = [fail("settings", line, "docs/settings.md") for line in str(error).splitlines()]
        try:  # after a broken secret or an unknown name the rest can still be checked
            settings = Settings(**_NO_OTHERS)
        except ValueError:
            return [report_ok("settings", describe_origin(None)), *wrong], None
    known = stored.read_facts(settings)
    old = [warn("old name", *said.rsplit("; ", 1)) for said in list_old_names(settings)]
    return [
        report_ok("settings", describe_origin(settings)),
        *wrong,
        *old,
        *run_checks(known, LOOKS),
    ], settings


def run_checks(known: Known, looks: dict[str, Look], late_s: float = LATE_S) -> list[Finding]:
    """Return the findings of these checks; a slow or failing check hides no other."""
    found: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_look, args=(name, look, known, found), daemon=True)
        for name, look in looks.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + late_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no answer within {late_s:.0f} s"
    return [
        finding
        for name in looks
        for finding in found.get(name) or ([] if name in found else [warn(name, late, "ask again")])
    ]


def _look(name: str, look: Look, known: Known, found: dict[str, list[Finding]]) -> None:
    try:
        found[name] = list(look(known))
    except Exception as error:  # a fault of the check itself
        full = find_missing_connection(name, error)
        found[name] = [full or warn(name, f"could not be looked at: {type(error).__name__}", "ask again")]


def _hidden(settings: Settings | None) -> list[str]:
    """Return the values that no finding may show, even in another program's message."""
    if settings is None:
        return []
    values: list[str] = []
    for name in SECRETS:
        value = getattr(settings, name)
        values += value.values() if isinstance(value, dict) else [value]
    values += [trunk.secret.get_secret_value() for trunk in settings.trunks]
    _, _, rest = settings.database_url.partition("://")
    account, at, _ = rest.rpartition("@")
    password = account.partition(":")[2] if at else ""
    return [value for value in (*values, password) if len(value) >= _SECRET]


def _without(hidden: Sequence[str], finding: Finding) -> Finding:
    said, do = finding.said, finding.do
    for value in hidden:
        said, do = said.replace(value, "…"), do.replace(value, "…")
    return replace(finding, said=said, do=do)
