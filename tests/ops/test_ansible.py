"""Ansible's playbook of many machines: what it writes there, and whom it drains. It runs on this machine."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from settings import load
from tests.kit.trunk_file import make_trunk

ANSIBLE = Path(__file__).parents[2] / "ops" / "ansible"
ANSIBLE_PLAYBOOK = (sys.executable, "-m", "ansible", "playbook")
CARRIER = make_trunk(host="198.51.100.5:5060", allowed=("198.51.100.0/24",))
CITY = ANSIBLE.parents[1] / "city.toml"
INVENTORY = ANSIBLE / "inventory.example.yml"

pytestmark = pytest.mark.long

Task = dict[str, Any]


def tasks(file: str) -> list[Task]:
    read: list[Task] = yaml.safe_load((ANSIBLE / file).read_text())
    return read


def named(of: list[Task], name: str) -> Task:
    return next(each for each in of if each["name"] == name)


def played(
    folder: Path, plays: list[dict[str, Any]], inventory: Path = INVENTORY
) -> subprocess.CompletedProcess[str]:
    """Return Ansible's output. The files that the tasks name are beside them."""
    playbook = folder / "ansible" / "play.yml"
    playbook.parent.mkdir()
    (folder / "keepalived").symlink_to(ANSIBLE.parent / "keepalived")
    here = {"gather_facts": False, "connection": "local"}
    playbook.write_text(yaml.safe_dump([here | play for play in plays]))
    python = f"ansible_python_interpreter={sys.executable}"
    command = [*ANSIBLE_PLAYBOOK, "-i", inventory, "-e", python, playbook]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_ansible_accepts_the_playbook() -> None:
    read = subprocess.run(
        [
            *(sys.executable, "-m", "ansible", "playbook", "--syntax-check"),
            "-i",
            INVENTORY,
            ANSIBLE / "site.yml",
        ],
        check=False,
        capture_output=True,
        text=True,
    )

    assert read.returncode == 0, read.stderr
    assert "site.yml" in read.stdout
    assert "WARNING" not in read.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a machine's name to the playbook's file for it: settings or keepalived.conf."""
    folder = tmp_path_factory.mktemp("written")
    nodes, pages, proxies = tasks("site.yml")
    settings, keepalived = (
        named(tasks("files.yml"), "Settings"),
        named(proxies["tasks"], "One address for both"),
    )
    for task in (settings, keepalived):
        task["ansible.builtin.copy"]["dest"] = str(folder / "{{ inventory_hostname }}")
    del settings["ansible.builtin.copy"]["group"]
    plays = [
        {"hosts": play["hosts"], "vars": play["vars"], "tasks": [task]}
        for play, task in ((nodes, settings), (pages, settings), (proxies, keepalived))
    ]
    told = played(folder, plays)
    assert told.returncode == 0, told.stdout
    return lambda name: folder / name


def test_settings_of_each_machine_load_there(written: Callable[[str], Path], tmp_path: Path) -> None:
    one, two, pages = (
        load(_env_file=written(name), state_dir=tmp_path / name, city=CITY, trunks=CARRIER)
        for name in ("one", "two", "pages-one")
    )

    assert (one.node, str(one.sip), two.node, str(two.sip)) == (
        "one",
        "192.0.2.11:5060",
        "two",
        "192.0.2.12:5060",
    )
    assert str(pages.http) == "192.0.2.41:8137"
    assert [(each.name, str(each.address)) for each in one.sip_nodes] == [
        ("one", "192.0.2.11:5060"),
        ("two", "192.0.2.12:5060"),
    ]
    assert one.sip_nodes == two.sip_nodes
    assert one.websocket == "wss://one.137.city.example/ws"
    assert one.database == two.database == pages.database
    assert one.database.endswith("sslmode=verify-full&sslrootcert=/etc/hotline137/database-ca.crt")


def test_keepalived_of_two_proxies_names_its_peer(
    written: Callable[[str], Path],
) -> None:
    first, second = (written(name).read_text() for name in ("proxy-one", "proxy-two"))

    assert "unicast_src_ip 192.0.2.21" in first and "unicast_peer { 192.0.2.22 }" in first
    assert "unicast_src_ip 192.0.2.22" in second and "unicast_peer { 192.0.2.21 }" in second
    assert "virtual_ipaddress { 192.0.2.20/24 }" in first
    assert "virtual_ipaddress { 192.0.2.20/24 }" in second


# --- whom it drains ---

PROGRAM = """#!/bin/sh
echo "$*" >> "$TOLD"
case "$*" in
"node list") cat "$TOLD.nodes" ;;
*--undo) [ -e "$TOLD.known" ] || { echo "not-found: no node" >&2; exit 1; } ;;
esac
"""


class Machine(NamedTuple):
    """One on which something is new."""

    nodes: Mapping[str, int] | None = None
    """The nodes that the program lists, with their calls; None: the database does not answer it."""
    unfinished: bool = False
    known: bool = True
    """Whether its node has ever had a lease, by the settings that are brought."""


MACHINES = {
    "beside": Machine({"beside": 1, "other": 1}),
    "first": Machine({"first": 0}),
    "only": Machine({"only": 1}),
    "nameless": Machine({"other": 1}, unfinished=True, known=False),
    "wrong": Machine(unfinished=True),
    "away": Machine(),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return a function from a machine's name to its commands, «new» for files, «failed» at its end."""
    folder = tmp_path_factory.mktemp("drained")
    program = folder / "hotline137"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    block = named(tasks("install.yml"), "All of it")
    brings = named(block["block"], "What is new")
    del brings["ansible.builtin.include_tasks"]
    brings["ansible.builtin.shell"] = "echo new >> $TOLD"
    ours = {"ansible.builtin.command", "ansible.builtin.assert", "ansible.builtin.shell"}
    block["block"] = [each for each in block["block"] if ours & each.keys()]
    for name, machine in MACHINES.items():
        if machine.nodes is not None:
            nodes = [{"name": node, "calls": calls} for node, calls in machine.nodes.items()]
            (folder / f"{name}.nodes").write_text(json.dumps(nodes))
        if machine.known:
            (folder / f"{name}.known").touch()
    hosts = {name: {"unfinished": {"stat": {"exists": each.unfinished}}} for name, each in MACHINES.items()}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    play = {
        "hosts": "all",
        "vars": {"before": {"stat": {"exists": True}}, "drains": True, "due": True},
        "environment": {"PATH": f"{folder}:/usr/bin:/bin", "TOLD": f"{folder}/{{{{ inventory_hostname }}}}"},
        "tasks": [block],
    }
    said = played(folder, [play], inventory).stdout
    assert "PLAY RECAP" in said, said

    def of(name: str) -> list[str]:
        lines = (folder / name).read_text().splitlines()
        recap = next(line for line in said.splitlines() if line.startswith(f"{name} "))
        return lines if "failed=0" in recap else [*lines, "failed"]

    return of


def test_upgraded_node_is_drained_before_and_restored_after(
    done: Callable[[str], list[str]],
) -> None:
    assert done("beside") == [
        "node list",
        "node drain beside --wait",
        "new",
        "apply",
        "node drain beside --undo",
    ]


def test_broken_node_is_brought_back_without_draining(
    done: Callable[[str], list[str]],
) -> None:
    """Its first installation, or a change, broke off: else it could never be mended by the playbook."""
    for name in ("wrong", "nameless"):
        assert done(name) == ["node list", "new", "apply", f"node drain {name} --undo"], name


def test_only_node_is_not_drained_unless_idle(
    done: Callable[[str], list[str]],
) -> None:
    assert done("first") == ["node list", "new", "apply", "node drain first --undo"]
    assert done("only") == ["node list", "failed"]


def test_unreachable_database_stops_the_upgrade_of_a_node(
    done: Callable[[str], list[str]],
) -> None:
    assert done("away") == ["node list", "failed"]
