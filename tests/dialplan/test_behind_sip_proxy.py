"""The configuration of a node's Asterisk and of the proxy, and the settings that are refused."""

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialplan import kamailio
from dialplan.kamailio.fence import may_be_dialled
from ops.cli import app
from settings import Settings, SettingsError, load
from tests.dialplan.rendered_files import Render, contexts, sections
from tests.kit.process import need
from tests.kit.trunk_file import make_trunk

PROXY = "192.0.2.20:5060"
NODES = "one=192.0.2.11:5060 two=192.0.2.12:5060"
TLS = '[main]\nprofile = "tls"\nhost = "sip.carrier.example:5061"\nuser = "137"\nsecret = "x"\n'


def test_node_behind_a_proxy_knows_each_trunk_by_its_header(rendered: Render, tmp_path: Path):
    trunks = tmp_path / "trunks.toml"
    trunks.write_text(TLS + '[spare]\nprofile = "address"\nhost = "198.51.100.7:5060"\n')
    file = rendered(sip_proxy=PROXY, trunks=trunks)["pjsip.conf"]
    pjsip = sections(file)
    of = {name: values for name, values in pjsip if values.get("type") == "endpoint"}

    for account in ("trunk-main", "trunk-spare"):
        assert of[account]["identify_by"] == "header" and of[account]["transport"] == "udp"
        assert (of[account]["deny"], of[account]["permit"]) == (
            "0.0.0.0/0.0.0.0",
            "192.0.2.20/255.255.255.255",
        )
        assert of[account]["outbound_proxy"] == f"sip:{PROXY}\\"  # what follows a ; is left out here
        assert of[account]["from_domain"] == "192.0.2.20"  # an inner address goes to no carrier
    known = {values["endpoint"]: values for _, values in pjsip if values.get("type") == "identify"}
    said = re.fullmatch(r"X-Hotline-Trunk: main/([0-9a-f]{32})", known["trunk-main"]["match_header"])
    assert said and said[1] not in known["trunk-spare"]["match_header"]
    by = re.findall(rf"^outbound_proxy = sip:{PROXY}\\;lr\\;node=([0-9a-f]{{32}})$", file, re.M)
    assert len(by) == 3 * 2 and len({said[1], *by}) == 2  # what comes with a call is no key to go out
    assert known["sip-proxy"]["match"] == "192.0.2.20"
    assert not [values for _, values in pjsip if values.get("type") == "registration"]


def test_node_without_a_proxy_mentions_none(rendered: Render):
    files = rendered()

    assert "Hotline-" not in files["pjsip.conf"] + files["extensions.conf"]
    assert "elsewhere" not in contexts(files["extensions.conf"])
    assert sections(files["pjsip.conf"])[0][1]["endpoint_identifier_order"] == "username,ip"


def test_full_or_drained_node_answers_503_or_502_to_the_proxy(
    rendered: Render, configured: Callable[..., Settings]
):
    dialplan = contexts(rendered(sip_proxy=PROXY)["extensions.conf"])
    asked = [given for _, given in dialplan["hotline"]]
    at = asked.index('$["${PJSIP_HEADER(read,X-Hotline-Next)}" = ""]?here')

    old = "$[${EPOCH} - 0${STAT(M,%s)} > 5]?elsewhere,s,none"
    assert asked[at + 1] == old % (configured().state_dir / "asterisk" / "callers-admitted")
    assert asked[at + 2].startswith("$[${GROUP_COUNT(callers)} > ") and asked[at + 2].endswith(
        "?elsewhere,s,1"
    )
    assert dialplan["elsewhere"] == [
        *(("Set", "GROUP()=busy"), ("Hangup", "34")),
        *(("Set", "GROUP()=busy"), ("Hangup", "27")),
    ]
    assert dialplan["hotline"].index(("Answer", "")) > at + 2
    assert ("Hangup", "34") in dialplan["lines-full"]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({}, "HOTLINE_SIP_PROXY and HOTLINE_SIP_NODES"),
        ({"sip_proxy": PROXY}, "HOTLINE_SIP_NODES"),
        ({"sip_proxy": PROXY, "sip_nodes": f"one={PROXY}"}, "listens itself"),
        (
            {"sip_proxy": PROXY, "sip_nodes": NODES, "trunks": TLS},
            "[main] transport: the proxy speaks udp only",
        ),
    ],
)
def test_settings_without_a_proxy_name_what_is_missing(
    configured: Callable[..., Settings], tmp_path: Path, settings: dict[str, str], word: str
):
    if "trunks" in settings:
        (tmp_path / "trunks.toml").write_text(settings["trunks"])
        settings = settings | {"trunks": str(tmp_path / "trunks.toml")}
    with pytest.raises(kamailio.NoProxy) as said:
        kamailio.render_files(configured(**settings), tmp_path, run=tmp_path)
    assert word in str(said.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sip_proxy": "0.0.0.0:5060"},
        {"sip_proxy": "proxy.example:5060"},
        {"sip_proxy_metrics": "0.0.0.0:9137"},
        {"sip_nodes": "192.0.2.11:5060"},
        {"sip_nodes": "one=node.example:5060"},
        {"sip_nodes": "one=192.0.2.11:5060 one=192.0.2.12:5060"},
        {"sip_nodes": "one=192.0.2.11:5060 two=192.0.2.11:5060"},
        {"sip_nodes": 'one";}=192.0.2.11:5060'},
        {"sip_proxy_calls_per_second": "0"},
    ],
)
def test_wrong_proxy_setting_is_named(own_environment: None, wrong: dict[str, str]):
    with pytest.raises(SettingsError) as said:
        load(_env_file=None, **wrong)
    assert f"HOTLINE_{next(iter(wrong)).upper()}" in str(said.value)


def test_kamailio_command_writes_valid_private_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_environment: None
):
    for name, value in (
        ("STATE_DIR", tmp_path / "state"),
        ("SIP_PROXY", "127.0.0.1:5060"),
        ("SIP_NODES", NODES),
    ):
        monkeypatch.setenv(f"HOTLINE_{name}", str(value))
    chmod = Path.chmod  # of folders alone: no file is open to others until then
    monkeypatch.setattr(Path, "chmod", lambda path, mode: chmod(path, mode) if path.is_dir() else None)
    for _ in range(2):  # written anew over what is there
        done = CliRunner().invoke(app, ["kamailio", str(tmp_path / "etc")])
        assert done.exit_code == 0, done.output
    config = tmp_path / "etc" / "kamailio.cfg"
    assert (config.stat().st_mode & 0o777, config.parent.stat().st_mode & 0o777) == (0o640, 0o750)
    checked = subprocess.run(
        [need("kamailio", "kamailio"), "-c", "-f", config], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert sorted(path.name for path in config.parent.iterdir()) == ["dispatcher.list", "kamailio.cfg"]

    refused = CliRunner().invoke(app, ["kamailio", str(tmp_path / 'a"b')])
    assert refused.exit_code == 1 and "letters" in refused.output


def test_keepalived_accepts_the_example_for_two_proxies(
    tmp_path: Path,
):
    example = Path(kamailio.__file__).parents[2] / "ops" / "keepalived" / "keepalived.conf"
    here = next((name for _, name in socket.if_nameindex() if name != "lo"), "eth0")
    config = tmp_path / "keepalived.conf"
    config.write_text(example.read_text().replace("interface eth0", f"interface {here}"))
    argv = [need("keepalived", "keepalived"), "-t", "-f", config]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("trunk", "yes", "no"),
    [
        ({}, ["09131234567", "03136600000"], ["+989131234567", "00989131234567", "0913123456"]),
        (
            {"numbers": "e164"},
            ["+989131234567", "+983136600000"],
            ["09131234567", "+53123456"],
        ),
        ({"numbers": "digits"}, ["989131234567", "983136600000"], ["09131234567", "53123456789"]),
        ({"numbers": "double-zero"}, ["00989131234567"], ["0053123456789", "+989131234567"]),
        ({"prefix": "*9"}, ["*909131234567", "*9125", "*9204"], ["09131234567", "99909131234567", "125"]),
    ],
)
def test_proxy_allows_the_numbers_that_a_node_dials(
    configured: Callable[..., Settings],
    tmp_path: Path,
    trunk: dict[str, str],
    yes: list[str],
    no: list[str],
):
    more = "".join(f'{key} = "{value}"\n' for key, value in trunk.items())
    (tmp_path / "trunks.toml").write_text(f'[main]\nprofile = "address"\nhost = "198.51.100.7:5060"\n{more}')
    settings = configured(
        trunks=str(tmp_path / "trunks.toml"),
        urgent_number="125",
        extensions="2XX",
        allowed_prefixes="+989,+9831",
    )
    prefix = trunk.get("prefix", "")
    pattern = may_be_dialled(settings)
    for number in [*yes, f"{prefix}125", f"{prefix}299"]:
        assert re.search(pattern, number), number
    for number in [*no, "", "137", f"{prefix}1125", f"{prefix}300", f"{prefix}2999"]:
        assert not re.search(pattern, number), number


def test_wide_prefix_passes_in_both_number_formats(
    configured: Callable[..., Settings],
):
    pattern = may_be_dialled(configured(allowed_prefixes="+9", trunks=make_trunk(host="198.51.100.7:5060")))
    for number in ("09131234567", "+971501234567"):
        assert re.search(pattern, number), number
