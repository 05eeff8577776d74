"""Files for many machines: Kubernetes' schemas take them, and they name what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings, asterisk_files

OPS = Path(__file__).parent.parent.parent / "ops"
MANIFESTS = sorted(path for path in (OPS / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
KUBERNETES = "1.34"
COMPOSE: dict[str, Any] = yaml.safe_load((OPS.parent / "docker-compose.yml").read_text())["services"]


def _documents() -> list[dict[str, Any]]:
    return [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text())]


def _pods() -> dict[str, dict[str, Any]]:
    """Return the pod of each manifest that has one, by name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in _documents()
        if "template" in each["spec" if "spec" in each else "metadata"]
    }


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_schema_accepts_each_manifest(path: Path):
    import kubernetes_validate  # here: more than a second in every process of the tests

    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_unknown_manifest_field_is_found():
    import kubernetes_validate

    wrong = next(each for each in _documents() if each["kind"] == "StatefulSet")
    wrong["spec"]["replica"] = 2

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_kustomization_lists_every_manifest():
    listed = yaml.safe_load((OPS / "kubernetes" / "kustomization.yaml").read_text())["resources"]

    assert sorted(listed) == [path.name for path in MANIFESTS]


def test_pods_run_the_commands_of_compose():
    containers = {c["name"]: c for pod in _pods().values() for c in pod["containers"]}

    assert sorted(containers) == ["api", "asterisk", "dialer", "ivr", "scheduler"]
    for name, container in containers.items():
        assert " ".join(container["command"]) == COMPOSE[name]["command"]


def test_each_pod_has_limits_and_runs_without_root():
    for name, pod in _pods().items():
        assert pod["securityContext"]["runAsUser"] == 1370, name
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            shut = container["securityContext"]
            assert shut.get("runAsUser", 1370) in (1370, 1371)
            assert shut["readOnlyRootFilesystem"] and not shut["allowPrivilegeEscalation"], container["name"]
            assert shut["capabilities"] == {"drop": ["ALL"]}
        assert all("memory" in container["resources"]["limits"] for container in pod["containers"])


def test_asterisk_in_a_pod_has_a_user_and_folders_of_its_own():
    node = _pods()["node"]
    [asterisk] = [each for each in node["containers"] if each["name"] == "asterisk"]
    folders = {m["mountPath"]: m.get("readOnly", False) for m in asterisk["volumeMounts"] if "subPath" in m}
    written, read = asterisk_files.WRITTEN, asterisk_files.READ

    assert "envFrom" not in asterisk
    assert {each["name"] for each in asterisk["env"]} == {"HOTLINE_STATE_DIR", "HOTLINE_LOG"}
    assert asterisk["securityContext"]["runAsUser"] == asterisk["securityContext"]["runAsGroup"] == 1371
    assert node["securityContext"]["supplementalGroups"] == [1371]
    assert folders == {f"/var/lib/hotline137/{name}": name in read for name in (*written, *read)}
    assert {m["name"] for m in asterisk["volumeMounts"] if "subPath" not in m} == {"tmp"}


def test_node_mounts_only_the_shared_folders():
    node = _pods()["node"]
    mounts = [m for c in node["containers"] for m in c["volumeMounts"] if m["name"] == "shared"]

    assert {m["subPath"] for m in mounts} == {"recordings", "messages", "replies", "city", "voices"}
    assert all(m["mountPath"] == f"/var/lib/hotline137/{m['subPath']}" for m in mounts)
    made = node["initContainers"][0]["command"][-1]
    assert all(f"/shared/{m['subPath']}" in made for m in mounts)


def test_each_setting_in_the_files_exists():
    files = [*(OPS / "kubernetes").iterdir(), *(OPS / "ansible").iterdir()]
    named = {name for path in files for name in re.findall(r"\bHOTLINE_[A-Z_]+", path.read_text())}
    known = {f"HOTLINE_{name.upper()}" for name in Settings.model_fields}

    assert named - known == set()
    assert len(named) > 8


def test_example_inventory_trusts_its_load_balancer():
    settings = yaml.safe_load((OPS / "ansible" / "inventory.example.yml").read_text())["all"]["vars"][
        "settings"
    ]

    assert settings["HOTLINE_TRUSTED_PROXIES"], "without it one visitor's guessing locks everybody out"


def test_phones_of_nodes_come_by_the_host_of_the_pages():
    """Their cookie is for that host alone, and without it no proxy lets them in."""
    prepare = next(each for each in _pods()["node"]["initContainers"] if each["name"] == "prepare")
    ways = [each["value"] for each in prepare["env"] if each["name"] == "HOTLINE_WEBSOCKET_URL"]
    settings = next(each for each in _documents() if each["metadata"]["name"] == "settings")["data"]
    host = settings["HOTLINE_PUBLIC_URL"].removeprefix("https://")

    assert ways == [f"wss://{host}/ws/$(HOTLINE_NODE)"]
