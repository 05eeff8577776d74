"""The metrics by name, in Prometheus's format. No label holds a number, a name or a round."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.readiness import PROCESSES
from db.models import Incoming
from db.states import Outcome, Phase
from dialplan.variables import CALLERS_ADMITTED
from hotline import backups, heartbeats, inspections
from hotline.control.alarms import AlarmKind
from hotline.control.control_room import DeskDoing
from hotline.control.live_metrics import LiveMetrics
from hotline.messages import delivery_reports
from hotline.recordings import disk
from hotline.trunk.call_caps import Cap
from hotline.trunk.status import Is
from hotline.version import VERSION
from settings import Settings

_CAPS = (Cap.AT_ONCE, Cap.CHANNELS, Cap.PER_HOUR, Cap.PER_DAY, Cap.LINE_DOWN)
_PHASES = (Phase.PLANNED, Phase.ANNOUNCED, Phase.OPEN, Phase.CLOSED, Phase.LIVE)
_WHY_DOWN = ("trunk", "scripts", "ivr")


class Families:
    """The metrics of one scrape, in order."""

    def __init__(self) -> None:
        self._all: list[Metric] = []

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._all)

    def gauge(self, name: str, text: str, value: float) -> None:
        """Add a gauge with one value."""
        self._all.append(GaugeMetricFamily(name, text, value=value))

    def gauges(self, name: str, text: str, labels: str, values: Mapping[Any, float]) -> None:
        """Add a gauge with a value for each label; `labels` are single words."""
        self._add(GaugeMetricFamily(name, text, labels=labels.split()), values)

    def counters(self, name: str, text: str, labels: str, values: Mapping[Any, float]) -> None:
        """Add a counter with a value for each label."""
        self._add(CounterMetricFamily(name, text, labels=labels.split()), values)

    def _add(self, family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[Any, float]) -> None:
        for key, value in values.items():
            family.add_metric(list(map(str, key)) if type(key) is tuple else [str(key)], value)
        self._all.append(family)


def add_state(to: Families, settings: Settings) -> None:
    """Add what is known without a database: this program, the disk, the last backup."""
    kind = "postgresql" if settings.database.startswith("postgresql") else "sqlite"
    to.gauges(
        "hotline_build_info",
        "Version and kind of database; always 1.",
        "version database",
        {(VERSION, kind): 1},
    )
    with suppress(OSError):  # the other metrics still count
        here = disk.find_disk(settings.state_dir)
        to.gauge("hotline_state_disk_free_bytes", "Free on the state folder's disk.", here.free)
        to.gauge("hotline_state_disk_size_bytes", "The whole of the state folder's disk.", here.total)
    with suppress(OSError, ValueError):  # no call script has run here yet
        to.gauge(
            "hotline_callers_admitted",
            "So many callers at one time are let in on this machine; fewer while answers are late.",
            int((settings.state_dir / CALLERS_ADMITTED).read_text()),
        )
    last = backups.read(settings)
    to.gauge(
        "hotline_backup_timestamp_seconds",
        "When the last whole backup was made, in seconds since 1970; 0: never.",
        datetime.fromisoformat(last.good_at).timestamp() if last and last.good_at else 0,
    )
    to.gauge("hotline_backup_ok", "Whether the last try came to its end.", bool(last and last.ok))
    if settings.backup_dir:
        with suppress(OSError):  # not mounted: the backup fails, and says so
            free = disk.find_disk(settings.backup_dir).free
            to.gauge("hotline_backup_disk_free_bytes", "Free on the disk of the backups.", free)
        to.gauge("hotline_backup_size_bytes", "The last backup's size.", (last and last.size) or 0)
    inspected = inspections.read(settings)
    to.gauges(
        "hotline_certificate_end_timestamp_seconds",
        "When a certificate ends, in seconds since 1970; 0: browsers or carriers do not believe it.",
        "setting",
        inspected.certificates,
    )
    to.gauge("hotline_ledger_problems", "What its last check found.", inspected.ledger_problems)


def add_gauges(to: Families, found: LiveMetrics, settings: Settings) -> None:
    """Add the database's figures."""
    _processes(to, found)
    _calls(to, found, settings)
    _lines(to, found)
    _messages(to, found, settings)
    _directories(to, found, settings)
    to.gauge(
        "hotline_clock_offset_seconds",
        "How far this machine's clock is ahead of the database's.",
        found.clock_offset_s,
    )
    to.gauge(
        "hotline_clock_doubted",
        "Whether the clock has leapt, so that nothing is closed or deleted.",
        found.clock_doubted,
    )
    to.gauge("hotline_database_standbys", "PostgreSQL servers that follow this one.", found.standbys.number)
    if found.standbys.lag_s is not None:
        to.gauge(
            "hotline_database_standby_lag_seconds",
            "How late the last of them is; only for a user with the role pg_monitor.",
            found.standbys.lag_s,
        )
    to.gauges(
        "hotline_node_up",
        "Whether the node acts, under its lease.",
        "node",
        {name: state not in ("silent", "gone") for name, state in found.nodes.items()},
    )
    to.gauges(
        "hotline_node_draining",
        "Whether the node gets nothing new, as its people have said.",
        "node",
        {name: state == "draining" for name, state in found.nodes.items()},
    )
    to.gauges(
        "hotline_node_without_trunk",
        "Whether the node gets nothing new, since no trunk answers it, and one answers another.",
        "node",
        {name: state == "no-trunk" for name, state in found.nodes.items()},
    )
    to.counters(
        "hotline_attempts",
        "Callbacks that are over, by what came of them.",
        "outcome",
        _each(Outcome, found.outcomes),
    )
    to.counters(
        "hotline_incoming_calls",
        "Calls on 137, by what became of them.",
        "kind",
        _each(Incoming, found.incoming),
    )
    to.gauges(
        "hotline_left_numbers",
        "Numbers that callers left in the last 24 hours when all lines were full, by what became of them.",
        "outcome",
        found.left_numbers,
    )


def _directories(to: Families, found: LiveMetrics, settings: Settings) -> None:
    asked = {"ldap": bool(settings.ldap_url), "oidc": bool(settings.oidc_issuer)}
    ours = [each for each in found.directories if asked.get(each.name)]
    to.gauges(
        "hotline_directory_trouble",
        "Whether the office's directory cannot be asked, or not be believed: nobody is put out.",
        "directory",
        {each.name: each.troubled_since is not None for each in ours},
    )


def _each(names: Iterable[Any], known: Mapping[Any, float]) -> dict[Any, float]:
    """Return a value for every name: a figure that is 0 now must not vanish."""
    return {name: known.get(name, 0) for name in names}


def _processes(to: Families, found: LiveMetrics) -> None:
    ages = {row.process: (found.at - row.at).total_seconds() for row in found.heartbeats}
    fresh = {row.process: row.fresh_s for row in found.heartbeats}
    rows = {name: heartbeats.find_row(name) for name in PROCESSES}
    up = {name: row in ages and abs(ages[row]) < fresh[row] for name, row in rows.items()}
    up["asterisk"] = up["asterisk"] and up["dialer"]  # only the dialer can report Asterisk
    to.gauges(
        "hotline_process_up",
        "Whether it said lately that it works; asterisk: by AMI, to the dialer.",
        "process",
        up,
    )
    jobs = {name.removeprefix(heartbeats.JOB): name for name in ages if name.startswith(heartbeats.JOB)}
    to.gauges(
        "hotline_job_age_seconds",
        "Since a job of the scheduler was last done.",
        "task",
        {job: max(0.0, ages[name]) for job, name in jobs.items()},
    )
    to.gauges(
        "hotline_job_limit_seconds",
        "Within which it should be done again.",
        "task",
        {job: fresh[name] for job, name in jobs.items()},
    )


def _calls(to: Families, found: LiveMetrics, settings: Settings) -> None:
    to.gauges(
        "hotline_calls",
        "Calls at this moment: callers on 137 (in), and calls that we placed (out).",
        "direction",
        {"in": found.callers, "out": found.outgoing},
    )
    to.gauges(
        "hotline_calls_limit",
        "So many at one time, by the settings; all: both together.",
        "direction",
        {"in": settings.callers_at_once, "out": settings.outgoing_at_once, "all": settings.channels},
    )
    to.gauges(
        "hotline_calls_capped",
        "Whether this cap lets no call be placed now.",
        "cap",
        {cap: cap is found.capped for cap in _CAPS},
    )
    to.gauges(
        "hotline_calls_down",
        "Whether no call can be made by our own fault, and why.",
        "why",
        {why: why == found.down for why in _WHY_DOWN},
    )
    if found.trunk_answers is not None:
        to.gauge(
            "hotline_trunk_answers",
            "Whether any trunk answers OPTIONS, if one ever did.",
            found.trunk_answers,
        )
    _trunks(to, found)


def _trunks(to: Families, found: LiveMetrics) -> None:
    rows = found.trunks
    to.gauges(
        "hotline_trunk_up",
        "Whether the trunk takes calls, as far as the last ones and OPTIONS have shown.",
        "trunk",
        {
            name: word.state is Is.UP
            for name, word in found.trunks_told.items()
            if word.state is not Is.UNHEARD
        },
    )
    to.gauges(
        "hotline_trunk_latency_seconds",
        "How long its last answer to OPTIONS took.",
        "trunk",
        {name: row.latency_ms / 1000 for name, row in rows.items() if row.latency_ms is not None},
    )
    to.gauges(
        "hotline_trunk_registered",
        "Whether it has taken our registration, where it wants one.",
        "trunk",
        {name: row.registered for name, row in rows.items() if row.registered is not None},
    )
    to.gauges(
        "hotline_trunk_unheard",
        "Whether nothing was ever heard of the trunk: no answer, no registration, no call.",
        "trunk",
        {name: word.state is Is.UNHEARD for name, word in found.trunks_told.items()},
    )
    taken, refused = (
        {name: getattr(row, kind) for name, row in rows.items()} for kind in ("taken", "refused")
    )
    to.counters("hotline_trunk_calls", "Calls that it has brought to a phone.", "trunk", taken)
    to.counters("hotline_trunk_failures", "Calls that it has not.", "trunk", refused)


def _lines(to: Families, found: LiveMetrics) -> None:
    to.gauges("hotline_rounds", "Rounds that are not over.", "phase", _each(_PHASES, found.rounds))
    to.gauges(
        "hotline_registrations", "Places in rounds that are not over.", "phase state", found.registrations
    )
    to.gauges(
        "hotline_line_waiting",
        "Who waits: for a call in live rounds, for an operator's, or on the line.",
        "line",
        {name: line.waiting for name, line in found.lines.items()},
    )
    to.gauges(
        "hotline_line_oldest_wait_seconds",
        "How long whoever has waited longest.",
        "line",
        {name: line.oldest_s for name, line in found.lines.items()},
    )
    to.gauge("hotline_officials_live", "Live rounds: officials who answer now.", found.live)
    to.gauge("hotline_officials_speaking", "In how many of them somebody is spoken with.", found.speaking)
    if found.idle is not None:
        to.gauge(
            "hotline_official_idle_ratio", "Of live rounds so far: the share without a talk.", found.idle
        )
    to.gauges("hotline_desks", "Desks by what they do.", "doing", _each(DeskDoing, found.desks))
    to.gauges("hotline_control_alarms", "Alarms of the control room.", "kind", _each(AlarmKind, found.alarms))


def _messages(to: Families, found: LiveMetrics, settings: Settings) -> None:
    to.gauges(
        "hotline_outbox_messages",
        "Messages that are not out yet, and who was given them last.",
        "kind provider",
        found.outbox,
    )
    to.gauges(
        "hotline_outbox_oldest_due_seconds",
        "Since the oldest of those whose time has come.",
        "kind",
        found.outbox_due_s,
    )
    to.gauges(
        "hotline_outbox_not_sent_messages",
        "Of the last 24 hours, those that will not go out.",
        "why",
        {why or "unknown": number for why, number in found.not_sent.items()},
    )
    to.gauge("hotline_quiet", "Whether citizens are left in peace now.", found.quiet)
    providers = [name for name in (settings.sms_provider, *settings.sms_next) if name]
    to.gauge("hotline_sms_providers", "Providers of text messages that are set.", len(providers))
    ours = [account for account in found.accounts if account.provider in providers]
    to.gauges(
        "hotline_sms_credit",
        "What is left there, in the provider's own unit.",
        "provider",
        {account.provider: account.credit for account in ours if account.credit is not None},
    )
    to.gauges(
        "hotline_sms_trouble",
        "Whether there is little credit, or it does not let us in.",
        "provider",
        {
            account.provider: bool(account.error)
            or delivery_reports.is_low(account, settings.sms_least_credit)
            for account in ours
        },
    )
