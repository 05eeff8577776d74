"""The Debian package on machines that have nothing: installed, dialled, upgraded, removed, purged."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from hotline.version import VERSION
from settings import asterisk_files
from tests.kit import sound
from tests.kit.docker_engine import Engine
from tests.kit.installed import Machine, machine
from tests.kit.phone import Phone
from tests.kit.process import until

NUMBER = "09131370137"
SERVICES = ("asterisk", "ivr", "dialer", "scheduler", "api")
OWN = "own zebra 731"
EXPOSED = 2.5
"""The highest exposure by `systemd-analyze security`, where 10 is a process that may do anything."""
CONVERSATION = (("greeting", "1"), ("confirm-number.1", "1"), ("ask-subject", "#"), ("message-offer", "#"))

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=("trixie", "bookworm"))
def package(request: pytest.FixtureRequest, package_of: Callable[[str], Path]) -> Path:
    """Made for one release."""
    return package_of(request.param)


@pytest.fixture(scope="module")
def server(docker: Engine, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which it is installed as a city of version 1.0.0 has it: its settings are a conffile."""
    suite = "bookworm" if "deb12" in package.name else "trixie"
    with machine(docker, suite) as made:
        made.put(_version_before(package, tmp_path_factory.mktemp(suite)), "/root/hotline137.deb")
        said = made("apt-get install -y --no-install-recommends /root/hotline137.deb < /dev/null")
        assert "does not run yet" not in said, said
        yield made


def _health(server: Machine) -> dict[str, str]:
    asked = (
        "import json,urllib.request as u; print(u.urlopen('http://127.0.0.1:8137/healthz').read().decode())"
    )
    try:
        return dict(json.loads(server(f'python3 -c "{asked}"')))
    except AssertionError:  # not all is up, or nobody answers yet
        return {}


def _all_up(server: Machine) -> bool:
    health = _health(server)
    return bool(health) and set(health.values()) - {health.get("trunk")} == {"up"}


def test_installation_on_a_bare_machine_starts_everything(server: Machine) -> None:
    until(lambda: _all_up(server), "all is up", 90, every=1)

    states = server("systemctl is-active " + " ".join(f"hotline137-{each}" for each in SERVICES)).split()
    assert states == ["active"] * len(SERVICES)
    assert server("systemctl is-enabled hotline137.target").strip() == "enabled"
    assert server("stat -c '%U %a' /var/lib/hotline137 /etc/hotline137/hotline.env").split() == [
        *("hotline137", "700"),
        *("root", "640"),
    ]
    assert "hotline137 user" in server("hotline137 user --help")
    found = json.loads(server("hotline137 doctor --json || true"))
    assert found["worst"] != "fault", found


def test_code_of_the_first_visit_is_where_the_pages_say(server: Machine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operate" / "install.md").read_text()
    (command,) = re.findall(r"^    (journalctl .*first visit'?)$", page, re.MULTILINE)

    shown = server(command)

    code = re.findall(r"code: +(\S+)", shown)[-1]
    given = {"username": "first", "name": "Nobody", "new": OWN}
    assert _visit(server, {**given, "code": "2" * 5 + code[5:]}) == "403"
    assert _visit(server, {**given, "code": code}) == "200"


def _visit(server: Machine, given: dict[str, str]) -> str:
    """Return the status with which the machine's own pages answer the first administrator."""
    asked = (
        'import http.client as h, sys; c = h.HTTPConnection("127.0.0.1", 8137);'
        ' c.request("POST", "/api/v1/session/first", sys.argv[1], {"Content-Type": "application/json"});'
        " print(c.getresponse().status)"
    )
    return server(f"python3 -c '{asked}' '{json.dumps(given)}'").strip()


def test_package_brings_its_commit_manual_and_licences(server: Machine) -> None:
    build = subprocess.run(
        ["git", "describe", "--always", "--dirty"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert server("hotline137 --version").split() == ["hotline137", VERSION, build]
    assert f"({build})" in server("hotline137 doctor || true")

    docs = "/usr/share/doc/hotline137"
    server(f"grep -q 'Something is down' {docs}/docs/operate/night.md")
    assert "Format:" in server(f"head -1 {docs}/copyright")
    assert "Changelog" in server(f"zcat {docs}/changelog.gz | head -2")
    assert "hotline137 doctor" in server("zcat /usr/share/man/man1/hotline137.1.gz").replace("\\-", "-")
    parts = "/opt/hotline137/asterisk-root/usr/share/doc"
    assert int(server(f"find {parts} -name copyright | wc -l")) > 50
    assert server(f"test -s {parts}/asterisk/copyright && echo kept").strip() == "kept"
    assert "303" in server(
        'python3 -c \'import http.client as h; c = h.HTTPConnection("127.0.0.1", 8137);'
        ' c.request("GET", "/docs"); print(c.getresponse().status)\''
    )


def test_systemd_exposure_of_our_services_is_low(server: Machine) -> None:
    rated = {
        each: re.search(
            r"level for .*: ([\d.]+)", server(f"systemd-analyze security hotline137-{each}.service")
        )
        for each in ("prepare", "tables", *SERVICES)
    }

    exposed = {name: float(found[1]) for name, found in rated.items() if found}
    assert len(exposed) == 2 + len(SERVICES) and max(exposed.values()) <= EXPOSED, exposed
    owners = server("ps -o user:20= -C python3,ld-linux-x86-64,asterisk").split()
    assert set(owners) == {"hotline137", "hotline137-asterisk"}


def test_asterisk_of_the_package_sees_its_folders_only(server: Machine) -> None:
    parent = _process(server, "asterisk")
    asterisk = server(f"pgrep -P {parent}").split()[0]
    environment = server(f"tr '\\0' '\\n' < /proc/{asterisk}/environ")
    user = "setpriv --reuid=hotline137-asterisk --regid=hotline137-asterisk --clear-groups"
    inside = f"nsenter --target {asterisk} --mount {user} --"
    folders = server(f"{inside} ls /var/lib/hotline137").split()

    assert server(f"stat -c %U /proc/{asterisk}").strip() == "hotline137-asterisk"
    assert "HOTLINE_" not in environment
    assert sorted(folders) == sorted((*asterisk_files.WRITTEN, *asterisk_files.READ))
    for path in (
        "/etc/hotline137/hotline.env",
        "/var/lib/hotline137/secret",
        "/var/lib/hotline137/hotline.db",
    ):
        assert server(f"{inside} cat {path} > /dev/null && echo read || echo no").splitlines()[-1] == "no"


def test_restart_with_settings_takes_a_registration_by_phone(server: Machine, tmp_path: Path) -> None:
    settings = {
        "SAMPLE": "1",
        "HTTP": "0.0.0.0:8137",
        "SIP": f"0.0.0.0:{server.sip}",
        "RTP_PORTS": str(server.rtp),
        "MAX_CALLS": "4",
        "CALLS_AT_ONCE": "2",
        "DESKS": "4",
        "PUBLIC_ADDRESS": "127.0.0.1",
        "SAMPLE_TRUNK": f"127.0.0.1:5070,{server.network}",
        "BACKUP_DIR": "/srv/backup",
    }
    given = "".join(f"HOTLINE_{name}={value}\\n" for name, value in settings.items())
    server(f"printf '{given}' >> /etc/hotline137/hotline.env")
    server("install -d -o hotline137 -m 700 /srv/backup /etc/systemd/system/hotline137-scheduler.service.d")
    drop_in = "/etc/systemd/system/hotline137-scheduler.service.d/backup.conf"
    server(f"printf '[Service]\\nReadWritePaths=/srv/backup\\n' > {drop_in}; systemctl daemon-reload")
    server("systemctl restart hotline137.target")
    until(lambda: _all_up(server), "all is up", 90, every=1)
    server.fetch("/var/lib/hotline137/prompts/fa", tmp_path)

    with Phone(NUMBER) as phone:
        phone.dial(f"sip:137@127.0.0.1:{server.sip}")
        phone.wait_for("established")
        for clip, key in CONVERSATION:
            _heard(phone, tmp_path / "fa" / f"{clip}.wav")
            phone.press(key)
        phone.hangup()

    assert _registered(server) == [NUMBER]


def test_scheduler_makes_the_first_backup(
    server: Machine,
) -> None:
    until(lambda: server("ls /srv/backup").strip().endswith(".tar"), "a backup", 90, every=1)

    assert '"ok": true' in server("cat /var/lib/hotline137/backup.json")


def _heard(phone: Phone, clip: Path) -> None:
    until(lambda: sound.best_score(phone.recording(), clip) > sound.THRESHOLD, clip.stem, 60)


def _registered(server: Machine) -> list[str]:
    """The numbers in the sample round's line, as its operator sees them."""
    shown = re.findall(r"operator1 +(\S+)", server("journalctl -u hotline137-tables -o cat --no-pager"))
    with httpx.Client(base_url=f"http://127.0.0.1:{server.http}/api/v1", timeout=60) as api:
        if api.post("/session", json={"username": "operator1", "password": OWN}).is_error:  # not changed yet
            api.post("/session", json={"username": "operator1", "password": shown[-1]}).raise_for_status()
            api.post("/session/password", json={"new": OWN}).raise_for_status()
        places = api.get("/rounds/1/registrations").raise_for_status().json()["items"]
    return [place["number"] for place in places]


def _process(server: Machine, service: str) -> str:
    return server(f"systemctl show -P MainPID hotline137-{service}").strip()


def test_hung_process_is_replaced_by_systemd(server: Machine) -> None:
    hung = _process(server, "ivr")
    server(f"kill -STOP {hung}")

    until(
        lambda: server("systemctl show -P MainPID hotline137-ivr").strip() not in (hung, "0"), "another", 60
    )
    until(lambda: _all_up(server), "all is up", 60, every=1)


def test_doctor_names_a_unit_that_fails_and_its_last_lines(server: Machine) -> None:
    folder = "/etc/systemd/system/hotline137-scheduler.service.d"
    broken = '[Service]\\nRestart=no\\nExecStart=\\nExecStart=/bin/sh -c "echo no room left; exit 3"\\n'
    server(f"mkdir -p {folder}; printf '{broken}' > {folder}/broken.conf; systemctl daemon-reload")
    server("systemctl restart hotline137-scheduler || true")
    until(lambda: "failed" in server("systemctl is-active hotline137-scheduler || true"), "it failed", 30)

    found = json.loads(server("hotline137 doctor --json || true"))
    said = [each["said"] for each in found["findings"] if each["name"] == "systemd"]

    assert len(said) == 1 and said[0].startswith("hotline137-scheduler failed (exit-code)"), found
    assert "no room left" in said[0], said
    server(f"rm {folder}/broken.conf; systemctl daemon-reload; systemctl restart hotline137-scheduler")
    until(lambda: _all_up(server), "all is up", 60, every=1)


@pytest.fixture
def away(server: Machine) -> Iterator[str]:
    """The database's file, which nobody can open, on a machine that has just started everything."""
    file = "/var/lib/hotline137/hotline.db"
    units = " ".join(f"hotline137-{each}" for each in ("prepare", "tables", *SERVICES))
    server(f"systemctl stop hotline137.target {units}; chmod 0 {file}")
    server("systemctl start --no-block hotline137.target")
    until(lambda: "the database is away" in server(STATUS), "it waits", 30)
    yield file
    server(f"chmod 600 {file}")
    until(lambda: _all_up(server), "all is up", 60, every=1)


STATUS = "systemctl show -P StatusText hotline137-tables"


def test_start_without_a_database_apologizes_and_says_so(server: Machine, away: str, tmp_path: Path) -> None:
    until(lambda: _live(server) == "204", "the pages answer", 30)
    assert server("systemctl is-active hotline137.target || true").strip() == "inactive"
    found = json.loads(server("hotline137 doctor --json || true"))
    said = [each["said"] for each in found["findings"] if each["name"] == "systemd"]
    assert said and "hotline137-tables is starting: the database is away" in said[0], found
    log = "journalctl -u hotline137-tables -o cat | grep -c 'the database is away'"
    assert server(log).strip() == "1"
    server.fetch("/var/lib/hotline137/prompts/fa", tmp_path)
    with Phone("09131370139") as phone:
        phone.dial(f"sip:137@127.0.0.1:{server.sip}")
        _heard(phone, tmp_path / "fa" / "apology.wav")

    server(f"chmod 600 {away}")
    until(lambda: _all_up(server), "all is up", 60, every=1)
    target = "systemctl is-active hotline137.target || true"
    until(lambda: server(target).strip() == "active", "the target says so", 30)


def _live(server: Machine) -> str:
    asked = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8137/livez').status)"
    return server(f'python3 -c "{asked}" 2> /dev/null || true').strip()


def test_upgrade_during_a_call_keeps_call_and_data(server: Machine, package: Path, tmp_path: Path) -> None:
    server.put(package, "/root/next.deb")
    edited = server("cat /etc/hotline137/hotline.env")
    server.fetch("/var/lib/hotline137/prompts/fa", tmp_path)

    with Phone("09131370138") as phone:
        phone.dial(f"sip:137@127.0.0.1:{server.sip}")
        phone.wait_for("established")
        _heard(phone, tmp_path / "fa" / "greeting.wav")
        calls = _process(server, "asterisk")
        with ThreadPoolExecutor(1) as beside:
            upgrade = beside.submit(server, "apt-get install -y /root/next.deb < /dev/null")
            while not wait([upgrade], timeout=8).done:
                phone.press("*")  # somebody who is silent for so long would hear a goodbye
            upgrade.result()
        until(lambda: _all_up(server), "all is up", 90, every=1)
        phone.press("1")
        _heard(phone, tmp_path / "fa" / "confirm-number.1.wav")

        assert _process(server, "asterisk") == calls
        phone.hangup()
    assert "~before" not in server(
        "dpkg-query -W -f '${Status} ${Version}' hotline137 | grep ' ok installed '"
    )
    assert server("cat /etc/hotline137/hotline.env") == edited and "HOTLINE_SAMPLE=1" in edited
    assert server("stat -c '%U %G %a' /etc/hotline137/hotline.env").split() == ["root", "hotline137", "640"]
    assert server("find /etc/hotline137 -name 'hotline.env?*'") == ""
    assert _registered(server) == [NUMBER]


def _version_before(package: Path, folder: Path) -> Path:
    """Return the package with another template of the settings, which is a conffile."""
    tree, made = folder / "tree", folder / "before.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1~before", control.read_text()))
    template = tree / "usr" / "share" / "hotline137" / "hotline.env"
    (tree / "etc" / "hotline137").mkdir(parents=True)
    template.rename(tree / "etc" / "hotline137" / "hotline.env")
    with (tree / "etc" / "hotline137" / "hotline.env").open("a") as settings:
        settings.write("# another template\n")
    (tree / "DEBIAN" / "conffiles").write_text("/etc/hotline137/hotline.env\n")
    command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build", tree, made]
    subprocess.run(command, check=True, capture_output=True)
    return made


def test_purge_alone_deletes_data_and_says_so(
    server: Machine,
) -> None:
    server("apt-get remove -y hotline137 < /dev/null")

    assert server("ps -o comm= -C python3,asterisk || true").strip() == ""
    assert "hotline.db" in server("ls /var/lib/hotline137; test -e /etc/hotline137/hotline.env")
    assert server("ls /opt/hotline137 2>/dev/null || true").strip() == ""
    said = server("apt-get purge -y hotline137 < /dev/null")
    assert "deleting what was kept in /var/lib/hotline137" in said
    assert server("ls -d /var/lib/hotline137 /etc/hotline137 2>/dev/null || true").strip() == ""
