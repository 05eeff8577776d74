"""docker-compose.scale.yml beside docker-compose.yml: what compose makes of both, without an engine."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from dialplan import kamailio
from settings import Settings, asterisk_files, load

ROOT = Path(__file__).parents[2]
FILES = ("-f", "docker-compose.yml", "-f", "docker-compose.scale.yml")
NODES = {
    "one": ("asterisk", "ivr", "dialer", "prepare"),
    "two": ("asterisk-two", "ivr-two", "dialer-two", "prepare-two"),
}
SERVERS = ("etcd1", "etcd2", "etcd3", "pg1", "pg2", "keys", "kamailio")


@cache
def services() -> dict[str, dict]:
    """Each service as it would run, with nothing of this machine's settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    command = [
        "docker",
        "compose",
        "--env-file",
        os.devnull,
        "-p",
        "scale",
        *FILES,
        "config",
        "--format",
        "json",
    ]
    done = subprocess.run(command, cwd=ROOT, env=own, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["services"]


def environment(service: str) -> dict[str, str]:
    """Return the environment of the service."""
    return {name: value for name, value in services()[service]["environment"].items() if value is not None}


def test_scale_file_doubles_each_part_and_the_database() -> None:
    parts = {*NODES["one"], *NODES["two"], *SERVERS, "api", "api-two", "scheduler", "front"}

    assert services().keys() == parts
    nodes = {name: node for node, names in NODES.items() for name in names if name in WITH_SETTINGS}
    assert {name: environment(name)["HOTLINE_NODE"] for name in nodes} == nodes


@pytest.mark.parametrize("service", ["asterisk", "asterisk-two"])
def test_asterisk_gets_no_setting_but_its_folder_and_its_log(service: str) -> None:
    assert environment(service).keys() == {"HOTLINE_STATE_DIR", "HOTLINE_LOG"}
    folder = environment(service)["HOTLINE_STATE_DIR"]
    mounted = {each["target"]: each.get("read_only", False) for each in services()[service]["volumes"]}
    written, read = asterisk_files.WRITTEN, asterisk_files.READ
    assert mounted == {f"{folder}/{name}": name in read for name in (*written, *read)}


WITH_SETTINGS = [
    *(name for names in NODES.values() for name in names if not name.startswith("asterisk")),
    *("api", "api-two", "scheduler"),
]


@pytest.mark.parametrize("service", WITH_SETTINGS)
def test_settings_of_each_service_load_with_its_node(
    service: str, own_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = environment(service)
    for name, value in said.items():
        monkeypatch.setenv(name, value)

    settings = load(_env_file=None)

    ours = {name.removeprefix("HOTLINE_").lower() for name in services()[service]["environment"]} - {
        "pgpassfile"
    }
    assert ours == {*Settings.model_fields}
    assert settings.sip_proxy and len(settings.sip_nodes) == 2
    for node, names in NODES.items():
        if service in names:
            assert settings.node == node
            assert settings.sip == dict(settings.sip_nodes)[node]
            assert services()[names[0]]["networks"]["default"]["ipv4_address"] == settings.sip.host


def test_both_nodes_make_the_same_proxy_configuration(
    own_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = []
    for service in ("prepare", "prepare-two"):
        for name, value in environment(service).items():
            monkeypatch.setenv(name, value)
        settings = load(_env_file=None, state_dir=tmp_path)
        made.append(kamailio.render_files(settings, Path("/run/sip-proxy"), run=Path("/tmp")))

    assert made[0] == made[1] and settings.sip_proxy
    assert services()["kamailio"]["networks"]["default"]["ipv4_address"] == settings.sip_proxy.host


def test_each_container_has_the_common_limits() -> None:
    for name, service in services().items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert 0 < int(service["mem_limit"]) <= 2 << 30 and 0 < service["pids_limit"] <= 8192, name
        published = [each["host_ip"] for each in service.get("ports", [])]
        assert set(published) <= {"127.0.0.1"}, name
