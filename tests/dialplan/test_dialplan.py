"""Asterisk's configuration as it is rendered: who gets in, how far, and what settings may write into it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialplan import accounts
from dialplan.variables import CAPPED_CAUSE, SAID_EVENT, Context
from settings import Settings, SettingsError
from tests.dialplan.rendered_files import IN_THE_TRUNK, Render, contexts, sections
from tests.kit.trunk_file import make_trunk, write_trunk

INBOUND = {Context.FROM_TRUNK, Context.FROM_PHONE, Context.FROM_DESK, Context.ASKED}


# --- who gets in, and how far ---


@pytest.mark.parametrize("browser_phone", [True, False])
def test_whoever_calls_in_can_reach_nothing_that_dials_out(rendered: Render, browser_phone: bool):
    dialplan = contexts(rendered(browser_phone=browser_phone)["extensions.conf"])
    reached, todo = set(), [context for context in INBOUND if context in dialplan]

    while todo:
        reached.add(context := todo.pop())
        jumps = [where for app, where in dialplan[context] if app.startswith("Goto")]
        targets = {match for where in jumps for match in re.findall(r"([\w-]+),[^,]+,\d", where)}
        todo += targets - reached

    inbound = INBOUND - (set() if browser_phone else {Context.FROM_PHONE})
    assert reached == {*inbound, Context.HOTLINE, Context.LINES_FULL, Context.ON_THE_LINE, Context.RESCUE}
    assert {app for context in reached for app, _ in dialplan[context]} == {
        *(
            "Answer",
            "AGI",
            "ConfBridge",
            "Goto",
            "GotoIf",
            "Hangup",
            "NoOp",
            "Playback",
            "Read",
            "Set",
            "Wait",
        ),
    }


@pytest.mark.parametrize(
    ("sip", "condition"),
    [
        ("192.0.2.10:15060", '$["${CHANNEL(pjsip,local_addr):-6}" = ":15060"]'),
        ("0.0.0.0:15060", '$["${CHANNEL(pjsip,local_addr)}" = ""]'),  # then a UDP socket does not say
    ],
)
def test_call_from_the_trunk_must_come_from_its_sip_port(rendered: Render, sip: str, condition: str):
    steps = contexts(rendered(sip=sip)["extensions.conf"])[Context.FROM_TRUNK]
    onwards = [where for app, where in steps if app == "GotoIf" and "known" in where]
    leads = [step for step in steps if "hotline" in step[1]]

    assert onwards == [f"{condition}?known"]
    assert leads == [("Goto", "hotline,s,1")]
    assert steps.index(("Hangup", "21")) < steps.index(leads[0])


@pytest.mark.parametrize("browser_phone", [True, False])
def test_each_endpoint_has_its_context_and_password(
    rendered: Render, configured: Callable[..., Settings], browser_phone: bool
):
    asks = configured().secret_for(accounts.ASKS)  # nobody else knows the name, which leads nowhere
    files = rendered(browser_phone=browser_phone)
    parts = sections(files["pjsip.conf"]) + sections(files["pjsip-passwords.conf"])
    endpoints = {name: values for name, values in parts if "context" in values}
    passwords = {name: values["password"] for name, values in parts if "password" in values}

    ways = {name: values["context"] for name, values in endpoints.items()}
    desks = [f"desk-{n}{kind}" for n in (1, 2, 3) for kind in ("", "-sip")]
    phones = [f"phone-{n}" for n in range(1, 6)] if browser_phone else []
    assert ways == {
        "trunk": "from-trunk",
        asks: "asked",
        **dict.fromkeys(desks, "from-desk"),
        **dict.fromkeys(phones, "from-browser-phone"),
    }
    assert [name for name, values in endpoints.items() if values.get("auth") != name] == ["trunk", asks]
    assert passwords.keys() == endpoints.keys() - {"trunk", asks}
    assert len(set(passwords.values())) == len(passwords)


def test_nobody_is_known_without_a_name_or_an_allowed_address(rendered: Render):
    parts = sections(rendered(trunks=make_trunk(allowed=("192.0.2.1", "198.51.100.0/24")))["pjsip.conf"])
    identify = [values for _, values in parts if values.get("type") == "identify"]

    assert dict(parts)["global"]["endpoint_identifier_order"] == "username,ip"
    assert "anonymous" not in dict(parts)
    assert [values["match"] for values in identify] == ["192.0.2.1,198.51.100.0/24"]


def test_browser_phones_of_citizens_are_absent_unless_enabled(rendered: Render):
    off = rendered(browser_phone=False)

    assert not [name for name, text in off.items() if re.search(r"phone-\d|from-browser-phone", text)]
    assert {name for name, text in rendered(browser_phone=True).items() if "phone-1" in text} == {
        "extensions.conf",
        "pjsip.conf",
        "pjsip-passwords.conf",
    }


def test_asterisk_reads_no_desks_password_from_a_file(rendered: Render):
    """It asks pjsip-passwords.conf and its own database; what pjsip.conf says is for the version before."""
    files = rendered(browser_phone=True, trunks=make_trunk(user="isfahan", secret="p!=q"))

    ((name, _),) = sections(files["sorcery.conf"])
    assert name == "res_pjsip"
    sources = [line.partition(" = ")[2] for line in files["sorcery.conf"].splitlines() if "auth = " in line]
    assert [source.partition("/")[0] for source in sources] == ["config,", "astdb,desks"]
    assert "/pjsip-passwords.conf,criteria=type=auth" in sources[0]
    assert not [name for name, _ in sections(files["pjsip-passwords.conf"]) if name.startswith("desk-")]


def test_loaded_modules_run_no_program_and_dial_by_one(rendered: Render):
    loaded = set(re.findall(r"^load = (\w+)\.so$", rendered()["modules.conf"], re.MULTILINE))

    assert "autoload = no" in rendered()["modules.conf"]
    assert {"res_agi", "app_confbridge", "app_bridgewait", "chan_pjsip"} <= loaded
    assert {
        name for name in loaded if re.search("dial|origin|system|shell|exec|spool|curl|ari|_http_m", name)
    } == {"app_dial"}


def test_only_the_dialer_enters_contexts_that_dial_out(
    rendered: Render,
):
    files = rendered(browser_phone=True)
    dialplan = contexts(files["extensions.conf"])
    named = {
        context: [
            where for app, where in steps if context != Context.DIAL and Context.DIAL in where.split(",")
        ]
        for context, steps in dialplan.items()
    }

    assert not any(named.values()), "no step of any context leads there"
    assert "include" not in files["extensions.conf"], "nor is any context part of another"
    ways_in = {values["context"] for _, values in sections(files["pjsip.conf"]) if "context" in values}
    assert ways_in == {context.value for context in INBOUND}
    dials = {context for context, steps in dialplan.items() for app, _ in steps if app == "Dial"}
    assert dials == {Context.DIAL}


def test_the_trunks_channels_are_fenced_before_every_dial(rendered: Render):
    files = rendered(browser_phone=True, calls_at_once=9, trunks=make_trunk(channels=12), extensions=("2XX",))
    steps = contexts(files["extensions.conf"])[Context.DIAL]
    dialled = [place for place, (app, what) in enumerate(steps) if app == "Dial" and "phone-" in what]
    ways = [place for place, step in enumerate(steps) if step == ("Set", "number=${EXTEN}")]

    assert (len(dialled), len(ways)) == (
        5,
        3,
    )  # the phones in the browser, the prefixes, the PBX's extensions
    for place in (*dialled, *ways):
        assert steps[place - 2 : place] == [
            ("Set", "GROUP()=calls"),
            ("GotoIf", f"$[${{GROUP_COUNT(calls)}} > 9 | {IN_THE_TRUNK} > 12]?capped,1"),
        ]
    assert ("Hangup", str(CAPPED_CAUSE)) in steps


def test_network_answer_is_reported_as_its_code_alone(rendered: Render):
    steps = contexts(rendered(browser_phone=True)["extensions.conf"])[Context.DIAL]

    assert [app for app, _ in steps[-2:]] == ["UserEvent", "Hangup"]
    assert steps[-2][1] == f"{SAID_EVENT},Sip: ${{sip}},Trunk: ${{said_by}}"
    silent = [what for app, what in steps if app == "Set" and re.fullmatch(r"sip=\d+", what)]
    assert silent == ["sip=480"] * 5 + ["sip=0"], "a page that is closed is no fault of the trunk's"
    said = [what for app, what in steps if "{said:" in what]
    assert said == ['sip=${IF($["${said:0:4}" = "SIP "]?${FILTER(0-9,${said:4:3})}:${sip})}']


def test_dialplan_cannot_run_programs_or_write_files(rendered: Render):
    options = dict(sections(rendered()["asterisk.conf"]))["options"]

    assert options["live_dangerously"] == "no"


# --- settings ---


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *[(name, "127.0.0.1\n[evil]:5060") for name in ("sip", "agi", "ami", "asterisk_http")],
        ("public_address", "1.2.3.4\n[evil]"),
        ("public_address", "1.2.3.4;"),
        ("rtp_ports", "10000-10999\n[evil]"),
        ("rtp_ports", "20-30"),
        ("allowed_prefixes", "98"),
        ("desks", 0),
        ("state_dir", "/srv/a\n[evil]"),
        ("state_dir", "/srv/a;b"),
        ("state_dir", "/srv/a,b"),
        ("state_dir", "/srv/${SHELL(reboot)}"),
    ],
)
def test_setting_that_injects_configuration_is_refused_by_name(
    configured: Callable[..., Settings], setting: str, value: object
):
    with pytest.raises(SettingsError, match=f"HOTLINE_{setting.upper()}="):
        configured(**{setting: value})


def test_trunk_registers_only_with_a_password(rendered: Render):
    assert "registration" not in {v.get("type") for _, v in sections(rendered()["pjsip.conf"])}

    files = rendered(trunks=make_trunk(user="isfahan", secret="p!=q", registers=True, host="192.0.2.1:5061"))
    parts = sections(files["pjsip.conf"])
    registration = next(values for _, values in parts if values.get("type") == "registration")
    ((name, password),) = sections(files["pjsip-passwords.conf"])

    assert (name, password["type"]) == ("trunk", "auth")
    assert registration["client_uri"] == "sip:isfahan@192.0.2.1:5061"
    assert (password["username"], password["password"]) == ("isfahan", "p!=q")


ADDRESS = {"host": "192.0.2.1:5061", "allowed": ["192.0.2.0/24"]}
ACCOUNT = {**ADDRESS, "user": "isfahan", "secret": "p!=q"}
LIKE = {"codecs": ["ulaw", "alaw"], "numbers": "e164", "qualify_seconds": 0, "channels": 30}


@pytest.mark.parametrize(
    ("old", "file"),
    [
        ({}, {"host": "127.0.0.1:5070"}),
        (ADDRESS, ADDRESS),
        (
            {**ACCOUNT, "codecs": "ulaw,alaw", "national": False, "asked_seconds": 0, "channels": 30},
            {**ACCOUNT, **LIKE, "profile": "registration"},
        ),
    ],
)
def test_old_names_render_like_the_file_that_follows_them(
    rendered: Render, tmp_path: Path, old: dict[str, Any], file: dict[str, Any]
):
    before = rendered(**{f"trunk_{name}": value for name, value in old.items()})
    write_trunk(tmp_path / "state", **file)

    assert rendered() == before


def test_each_rendered_file_is_complete_and_in_the_state_folder(
    rendered: Render, configured: Callable[..., Settings]
):
    files = rendered(browser_phone=True, public_address="hotline.isfahan.ir")
    folders = dict(sections(files["asterisk.conf"]))["directories"]
    read_only = {"astmoddir": "/opt/modules", "astdatadir": "/opt/data"}

    assert {key: folders.pop(key) for key in read_only} == read_only
    state = configured().state_dir
    assert all(Path(folder).is_relative_to(state) and Path(folder).is_dir() for folder in folders.values())
    assert not [name for name, text in files.items() if re.search(r"\{\{|\}\}|\{%|None|Undefined", text)]
