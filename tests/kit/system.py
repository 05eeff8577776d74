"""The whole system as `make run` starts it, on free ports, with its state in a temporary folder."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import httpx
import psutil
from sqlalchemy import Engine, event, func, select

from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import Callback, Heartbeat, Official, OfficialKind, Registration, Role, Round, User
from hotline import heartbeats, numbers
from hotline.line import confirmations, registration
from hotline.people import accounts
from hotline.rounds import phases, planning
from ivr.caller_cache import OFFER_AGE_S
from ops import asterisk, sample
from prompts.render import build
from settings import Settings, load
from tests.kit.operator import PASSWORD, Operator
from tests.kit.ports import free_port, free_range, give_back
from tests.kit.process import Program, folder_in_memory, until
from tests.kit.trunk_file import write_trunk

PROJECT = Path(__file__).parent.parent.parent
SHARED = PROJECT / "var" / "tests"
"""Files made once for all tests of this checkout."""
_NEW = SHARED / "prompts-of-run"
"""Which run of the tests has made all prompts there anew, if one has."""
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone-{os.getpid()}")
_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""Hundreds of processes start here: compiling anew would cost each of them half a second."""
_LAST_LINES = 150
_PATIENCE = "PRAGMA busy_timeout = 30000"
PROXY = "127.0.0.5"
"""An address whose WebSockets Asterisk takes, and which is not the trunk's."""


_OURS = "0913555"
"""How each number begins that is given to a test."""


class System:
    """A running Hotline 137. Sample data is there; tests make rounds, desks and numbers of their own."""

    phones_at = "127.0.0.1"
    """Whence its phones call."""

    def __init__(
        self,
        *,
        entry: str = "ops.hotline137",
        inherited: Mapping[str, str] | None = None,
        folder: Path | None = None,
        empty: bool = False,
        trunk: Mapping[str, object] | None = None,
        **environment: str,
    ) -> None:
        """Take settings of its own by their names in the environment.

        `entry` is the module that is run instead of the command hotline137. `inherited` is added to the
        environment of the processes. The state is kept in `folder`, or in a temporary one. `empty`: its start
        makes the tables and the sample data. `trunk` has keys of its trunk's file.
        """
        self._entry, self._inherited, self._empty = entry, dict(inherited or {}), empty
        self._rounds_changed_at = -OFFER_AGE_S
        self._folder = folder or folder_in_memory("hotline-")
        self.trunk_port = free_port()
        # Asked never: the phones of one test go before those of the next come.
        host = f"127.0.0.1:{self.trunk_port}"
        write_trunk(self._folder, **{"host": host, "qualify_seconds": 0, **(trunk or {})})
        self.environment = {
            "HOTLINE_STATE_DIR": str(self._folder),
            "HOTLINE_HTTP": f"127.0.0.1:{free_port()}",
            "HOTLINE_SIP": f"127.0.0.1:{free_port()}",
            "HOTLINE_ASTERISK_HTTP": f"127.0.0.1:{free_port()}",
            "HOTLINE_TRUSTED_PROXIES": f"127.0.0.1 {PROXY}",
            "HOTLINE_AGI": f"127.0.0.1:{free_port()}",
            "HOTLINE_AMI": f"127.0.0.1:{free_port()}",
            "HOTLINE_BROWSER_PHONE": "1",
            "HOTLINE_RING_SECONDS": "10",  # whoever picks up does so in time on a busy machine, too
            "HOTLINE_ANSWER_SECONDS": "2",
            "HOTLINE_RETRY_SECONDS": "0",
            "HOTLINE_CALL_AHEAD_MOST": "1",  # a test knows whose phone rings
            "HOTLINE_QUIET_HOURS": "00:00-00:00",
            "HOTLINE_SECOND_FACTOR_ROLES": "",
            "HOTLINE_CALLS_PER_NUMBER": "100",  # a whole day's rounds take minutes here
            "HOTLINE_CALLS_PER_HOUR": "10000",
            "HOTLINE_CALLS_PER_DAY": "10000",
            "HOTLINE_SAMPLE": "1",
            "HOTLINE_MAX_CALLS": "60",
            "HOTLINE_CALLS_AT_ONCE": "100",
            "HOTLINE_DESKS": "120",
            **environment,
        }
        legs = sum(
            int(self.environment[f"HOTLINE_{each}"]) for each in ("MAX_CALLS", "CALLS_AT_ONCE", "DESKS")
        )
        self._rtp = free_range(2 * legs)
        self.environment["HOTLINE_RTP_PORTS"] = str(self._rtp)
        self._numbers = iter(range(1, 10_000))
        self._killed: dict[str, datetime] = {}
        self._booted = 0
        """The Asterisk that is known to have all its modules."""

    def __enter__(self) -> Self:
        try:
            self.settings = settings_of(self.environment)
            share(self.settings)
            if not self._empty:
                give_tables(self.settings)
            self._program = self._start()
            self.engine: Engine = _patient(connect(self.settings.database))
            self._program.ready(lambda: "Hotline 137 is ready" in self.log(), timeout=90)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> Program:
        return Program(
            [sys.executable, "-u", "-m", self._entry, "run"],
            folder=PROJECT,
            log=self._folder / "run.log",
            death="TERM",
            env={**_BYTECODE, **self.environment, **self._inherited},
        )

    def restart(self) -> None:
        """Stop all of it and start it on what is there; whoever calls waits until it works."""
        self._program.stop(patience=15)
        self._program = self._start()

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_program"):
            self._program.stop(patience=15)
        give_back(self._rtp)
        if hasattr(self, "engine"):
            self.engine.dispose()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """The merged log so far."""
        return (self._folder / "run.log").read_text(errors="replace")

    def last_words(self) -> str:
        """The end of the log, after each death before it; nothing once it has been stopped."""
        try:
            lines = self.log().splitlines()
        except OSError:
            return ""
        deaths = [line for line in lines[:-_LAST_LINES] if "starts again" in line or "killed" in line]
        return "\n".join([*deaths, *lines[-_LAST_LINES:]])

    @property
    def url(self) -> str:
        """The address of the pages."""
        return f"http://{self.settings.http}"

    @property
    def hotline(self) -> str:
        """Return the number that a phone dials."""
        return f"sip:137@{self.settings.sip}"

    @property
    def clips(self) -> dict[str, Path]:
        """The prompts a caller can hear, one clip per sound."""
        return {p.stem: p for p in (self.settings.prompts_dir / "fa").glob("*.wav")}

    def number(self) -> str:
        """A mobile number that no other test uses, in national form."""
        return f"{_OURS}{next(self._numbers):04d}"

    @staticmethod
    def numbers_in(text: str) -> list[str]:
        """Numbers that `number` may have given, in whatever form this text has them."""
        return re.findall(rf"[+0-9]*{_OURS[1:]}[0-9]{{4}}", text)

    def healthy(self) -> bool:
        """Whether every dependency is up."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def health(self) -> str:
        """Return the answer of /healthz."""
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).text
        except httpx.HTTPError as error:
            return repr(error)

    def answers_calls(self) -> bool:
        """Whether ivr listens: one that has just died counts as alive until its next beat is late."""
        try:
            with socket.create_connection(self.settings.agi, timeout=2):
                return True
        except OSError:
            return False

    def wait_healthy(self, timeout: float = 30.0) -> None:
        """Wait until every dependency is up again, not only believed to be so until its next beat is late."""

        def is_up() -> bool:
            return self.answers_calls() and self.healthy() and self._have_beaten() and self._is_booted()

        try:
            until(is_up, "the system is healthy", timeout)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {self.health()}") from None

    def _have_beaten(self) -> bool:
        """Whether another one works in the place of each that was killed."""
        if not self._killed:
            return True
        with reading(self.engine) as session:
            rows = {name: session.get(Heartbeat, heartbeats.find_row(name)) for name in self._killed}
        self._killed = {name: at for name, at in self._killed.items() if (row := rows[name]) and row.at <= at}
        return not self._killed

    def _is_booted(self) -> bool:
        """Whether Asterisk knows its phones: it answers the dialer before."""
        with suppress(LookupError, subprocess.CalledProcessError):
            pid = self.pid("asterisk")
            if pid != self._booted:
                self.asterisk_says("core waitfullybooted")
                self._booted = pid
            return True
        return False

    @property
    def keeper(self) -> int:
        """The process id of the one that keeps the others."""
        return self._program.pid

    def pid(self, name: str) -> int:
        """The process id of asterisk, ivr, dialer or api."""
        for child in psutil.Process(self._program.pid).children(recursive=True):
            try:
                words = child.cmdline()
            except psutil.Error:  # it has just ended
                continue
            ours = words[-1:] == [name] and "process" in words[-2]
            if ours or (name == "asterisk" and words[-1:] == ["-f"]):
                return child.pid
        raise LookupError(f"no process {name}")

    def asterisk_says(self, command: str) -> str:
        """The answer of Asterisk's own command line."""
        found = asterisk.get(self.settings, lambda _text: None)
        config = self.settings.state_dir / "asterisk" / "etc" / "asterisk.conf"
        asked = [*found.command, "-C", str(config), "-rx", command]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    def channels_of(self, number: str) -> list[str]:
        """Return the names of Asterisk's channels of this number's calls, in national form."""
        rows = [row.split("!") for row in self.asterisk_says("core show channels concise").splitlines()]
        return [row[0] for row in rows if row[7:8] == [number]]

    def kill(self, name: str) -> int:
        """kill -9 one process; the supervisor starts it again. Returns the dead one's id."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        with reading(self.engine) as session:
            self._killed[name] = now(session)
        return pid

    @contextmanager
    def only_round(self, **values: object) -> Iterator[int]:
        """A round of the mayor that is the only one open: registration runs, callbacks may begin."""
        with writing(self.engine) as session:
            for other in phases.list_registrable(session):
                phases.end_round(session, other)
        with self.another_round(**values) as round_id:
            yield round_id

    @contextmanager
    def another_round(self, official: Official | None = None, **values: object) -> Iterator[int]:
        """The same, beside whatever else is open; of another official, if one is given."""
        with writing(self.engine) as session:
            at = now(session)
            made = planning.make(
                session,
                # nobody of an earlier round is carried over into one of a new mayor
                official=session.merge(official) if official else _a_mayor(),
                short_notice=True,
                registration_from=at - timedelta(hours=1),
                registration_until=at + timedelta(hours=1),
                starts_at=at - timedelta(minutes=1),
                ends_at=at + timedelta(hours=2),
                **values,
            )
            round_id = made.id
        self._rounds_changed_at = time.monotonic()
        yield round_id
        with writing(self.engine) as session:
            phases.end_round(session, phases.get(session, round_id))
        self._rounds_changed_at = time.monotonic()

    def wait_offered(self) -> None:
        """Wait until every caller hears of the newest round: an offer may be older by OFFER_AGE_S."""
        time.sleep(max(0.0, self._rounds_changed_at + OFFER_AGE_S - time.monotonic()))

    def operator(self, role: Role = Role.OPERATOR, official_of: int | None = None) -> Operator:
        """A new person at a new desk, signed in; the official of the round `official_of`, if one is named."""
        with writing(self.engine) as session:
            desk = 10 + (session.scalar(select(func.count()).select_from(User)) or 0)
            username = f"desk{desk}"
            user = accounts.add(
                session,
                username=username,
                name=username,
                role=role,
                desk_id=desk,
                password=PASSWORD,
            )
            if official_of is not None:
                user.official_id = phases.get(session, official_of).official_id
        return Operator(self, username, desk)

    def register(self, round_id: int, *several: str, subject: int | None = None) -> None:
        """Register numbers without a call, in this order."""
        parsed = [numbers.parse(number, self.settings.allowed_prefixes) for number in several]
        with writing(self.engine) as session:
            for number in parsed:
                registration.register(session, round_id=round_id, number=number, subject=subject)

    def keys_in(self, round_id: int, number: str, *, by: str) -> None:
        """Key this number in as somebody else."""
        parsed, caller = (numbers.parse(each, self.settings.allowed_prefixes) for each in (number, by))
        with writing(self.engine) as session:
            confirmations.ask_place(
                session, round_id=round_id, number=parsed, asked_by=caller, language="fa", per_day=3
            )

    def talks_for(self, callback_id: int, seconds: float) -> None:
        """Move the start of the conversation into the past."""
        with writing(self.engine) as session:
            began = now(session) - timedelta(seconds=seconds)
            session.get_one(Callback, callback_id).talking_at = began

    def round(self, round_id: int) -> Round:
        """The round as the database has it now."""
        with reading(self.engine) as session:
            return session.get_one(Round, round_id)

    def registrations(self, round_id: int) -> list[Registration]:
        """Return the registrations of a round, oldest first."""
        with reading(self.engine) as session:
            query = select(Registration).where(Registration.round_id == round_id)
            return list(session.scalars(query.order_by(Registration.id)))

    def callback(self, callback_id: int) -> Callback:
        """The callback as the database has it now."""
        with reading(self.engine) as session:
            return session.get_one(Callback, callback_id)


def _patient(engine: Engine) -> Engine:
    """A test that finds SQLite's one writer at work waits for as long as that takes on a busy machine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _record: connection.execute(_PATIENCE))
    return engine


def settings_of(environment: dict[str, str]) -> Settings:
    overrides = {k.removeprefix("HOTLINE_").lower(): v for k, v in environment.items()}
    return load(_env_file=None, **overrides)


def share(settings: Settings) -> None:
    """Unpack Asterisk and make the prompts once for all tests of this checkout, not once for each."""
    shared = _shared()
    with locked():
        asterisk.get(shared, lambda _text: None)
        _build(shared)
    _give_prompts(shared, settings)
    if (SHARED / "asterisk-root").exists():
        (settings.state_dir / "asterisk-root").symlink_to(SHARED / "asterisk-root")


def built_prompts() -> Path:
    """Return the folder of all prompts as the catalogue says them now."""
    shared = _shared()
    with locked():
        _build(shared)
    return shared.prompts_dir


def give_new_prompts(settings: Settings) -> bool:
    """Give these settings all prompts as this very run has made them; False: they are of an earlier one."""
    shared = _shared()
    with locked():
        _build(shared)
        if not _NEW.exists() or _NEW.read_text() != _RUN:
            return False
    _give_prompts(shared, settings)
    return True


def _shared() -> Settings:
    return load(_env_file=None, state_dir=SHARED)


def _build(shared: Settings) -> None:
    report = build(shared)
    if len(report.rendered) == len(report.written) == report.clips:
        _NEW.write_text(_RUN)
    elif report.written:  # the others are older
        _NEW.unlink(missing_ok=True)


def _give_prompts(shared: Settings, settings: Settings) -> None:
    shutil.copytree(shared.prompts_dir, settings.prompts_dir, copy_function=linked, dirs_exist_ok=True)


def give_tables(settings: Settings) -> None:
    """Give these settings tables with sample data, made once for this run: to make them takes a second.

    Only on SQLite, and only those that the start itself would make.
    """
    shared = SHARED / f"tables-{_RUN}.db"
    own = settings.state_dir / "hotline.db"
    ordinary = settings.sample and settings.browser_phone and settings.city_path == _shared().city_path
    if not ordinary or settings.database != f"sqlite:///{own}" or own.exists():
        return
    with locked():
        if not shared.exists():
            for older in SHARED.glob("tables-*.db"):
                older.unlink()
            _make_tables(SHARED / "tables.new", settings)
            (SHARED / "tables.new").rename(shared)
        shutil.copyfile(shared, own)


def _make_tables(path: Path, settings: Settings) -> None:
    path.unlink(missing_ok=True)
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    with writing(engine) as session:
        sample.fill(session, settings.of_city, trial=settings.browser_phone)
    engine.dispose()


@contextmanager
def locked() -> Iterator[None]:
    """Nobody else makes anything in SHARED."""
    SHARED.mkdir(parents=True, exist_ok=True)
    with (SHARED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def linked(shared: str | Path, own: str | Path) -> None:
    """Link a shared prompt. Nobody writes into its file, each is replaced whole. The shared one most likely
    lies on another disk.
    """
    Path(own).unlink(missing_ok=True)
    Path(own).symlink_to(Path(shared).absolute())


def _a_mayor() -> Official:
    return Official(kind=OfficialKind.MAYOR, office_fa="شهردار", office_en="Mayor", clip="office-mayor")
