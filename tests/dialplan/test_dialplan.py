"""Asterisk's configuration as it is rendered: who gets in, how far, and what stays secret."""

import itertools
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from dialplan import accounts
from dialplan.render import render
from dialplan.variables import (
    ASIDES,
    CALLBACK_PREFIX,
    CAPPED_CAUSE,
    LINES_FULL,
    SAID_EVENT,
    STAGE_EVENT,
    SUPERVISE,
    Context,
    Script,
    Stage,
    Variable,
)
from hotline.callbacks import callbacks
from ivr.reception import Reception
from ivr.server import scripts
from prompts.catalogue import clips
from settings import Settings, SettingsError, load

TEMPLATES = Path(accounts.__file__).parent / "templates"
INBOUND = {Context.FROM_TRUNK, Context.FROM_PHONE, Context.FROM_DESK}

Render = Callable[..., dict[str, str]]

IN_THE_TRUNK = "${GROUP_COUNT(callers)} + ${GROUP_COUNT(told-full)} + ${GROUP_COUNT(calls)}"


@pytest.fixture
def configured(tmp_path: Path, own_environment: None) -> Callable[..., Settings]:
    def configured(**values: Any) -> Settings:
        return load(_env_file=None, **{"state_dir": tmp_path / "state", "desks": 3, **values})

    return configured


@pytest.fixture
def rendered(configured: Callable[..., Settings]) -> Render:
    """The rendered files by name, for settings that differ from the defaults in these values."""

    def rendered(**values: Any) -> dict[str, str]:
        main = render(configured(**values), modules=Path("/opt/modules"), data=Path("/opt/data"))
        return {path.name: path.read_text() for path in main.parent.iterdir()}

    return rendered


def lines(text: str) -> list[str]:
    """The lines that say something, without comments."""
    return [line for line in (line.partition(";")[0].strip() for line in text.splitlines()) if line]


def sections(text: str) -> list[tuple[str, dict[str, str]]]:
    """The sections in order, each with its values; of one name there may be several."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in lines(text):
        if header := re.match(r"\[([^]]+)\]", line):
            found.append((header[1], {}))
        else:
            key, _, value = line.partition("=")
            found[-1][1][key.strip()] = value.removeprefix(">").strip()
    return found


def contexts(extensions: str) -> dict[str, list[tuple[str, str]]]:
    """For each context its steps in order: the application and what it is given."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines(extensions):
        if header := re.match(r"\[([^]]+)\]", line):
            steps = found.setdefault(header[1], [])
        elif step := re.match(r"(?:exten|same) => (?:[^,(]+,)?(?:1|n)(?:\(\w+\))?,(\w+)\((.*)\)$", line):
            steps.append((step[1], step[2]))
        else:
            assert "globals" in found and len(found) == 1, f"not understood: {line}"
    return found


def outline(steps: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The steps, where all that belongs to asking a script is one step: AGI and the script's name."""
    found: list[tuple[str, str]] = []
    rest = iter(steps)
    for step in rest:
        if step == ("Set", "HOTLINE_AGAIN="):
            asking = list(itertools.takewhile(lambda other: other != ("NoOp", ""), rest))
            (where,) = [where for app, where in asking if app == "AGI"]
            found.append(("AGI", where.partition(",")[0].rpartition("/")[2]))
        else:
            found.append(step)
    return found


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
    assert reached == {*inbound, Context.HOTLINE, Context.LINES_FULL, Context.ON_THE_LINE}
    assert {app for context in reached for app, _ in dialplan[context]} == {
        *("Answer", "AGI", "ConfBridge", "Goto", "GotoIf", "Hangup", "NoOp", "Playback", "Set", "Wait"),
    }


@pytest.mark.parametrize(
    ("sip", "condition"),
    [
        ("192.0.2.10:15060", '$["${CHANNEL(pjsip,local_addr):-6}" = ":15060"]'),
        ("0.0.0.0:15060", '$["${CHANNEL(pjsip,local_addr)}" = ""]'),  # then a UDP socket does not say
    ],
)
def test_whoever_comes_as_the_trunk_gets_on_only_from_the_sip_port(
    rendered: Render, sip: str, condition: str
):
    steps = contexts(rendered(sip=sip)["extensions.conf"])[Context.FROM_TRUNK]
    onwards = [where for _, where in steps if "hotline" in where]

    assert onwards == [f"{condition}?hotline,s,1"]


@pytest.mark.parametrize("browser_phone", [True, False])
def test_every_endpoint_comes_in_by_its_own_context_and_all_but_the_trunk_with_a_password(
    rendered: Render, browser_phone: bool
):
    parts = sections(rendered(browser_phone=browser_phone)["pjsip.conf"])
    endpoints = {name: values for name, values in parts if "context" in values}
    passwords = {name: values["password"] for name, values in parts if "password" in values}

    ways = {name: values["context"] for name, values in endpoints.items()}
    desks = [f"desk-{n}{kind}" for n in (1, 2, 3) for kind in ("", "-sip")]
    phones = [f"phone-{n}" for n in range(1, 6)] if browser_phone else []
    assert ways == {
        "trunk": "from-trunk",
        **dict.fromkeys(desks, "from-desk"),
        **dict.fromkeys(phones, "from-browser-phone"),
    }
    assert [name for name, values in endpoints.items() if values.get("auth") != name] == ["trunk"]
    assert passwords.keys() == endpoints.keys() - {"trunk"}
    assert len(set(passwords.values())) == len(passwords)


def test_nobody_is_known_without_a_name_or_an_allowed_address(rendered: Render):
    parts = sections(rendered(trunk_allowed="192.0.2.1, 198.51.100.0/24")["pjsip.conf"])
    identify = [values for _, values in parts if values.get("type") == "identify"]

    assert dict(parts)["global"]["endpoint_identifier_order"] == "username,ip"
    assert "anonymous" not in dict(parts)
    assert [values["match"] for values in identify] == ["192.0.2.1,198.51.100.0/24"]


def test_citizens_phones_in_the_browser_are_absent_unless_switched_on(rendered: Render):
    off = rendered(browser_phone=False)

    assert not [name for name, text in off.items() if re.search(r"phone-\d|from-browser-phone", text)]
    assert {name for name, text in rendered(browser_phone=True).items() if "phone-1" in text} == {
        "extensions.conf",
        "pjsip.conf",
    }


def test_nothing_is_loaded_that_could_run_a_program_and_only_one_application_that_calls(rendered: Render):
    loaded = set(re.findall(r"^load = (\w+)\.so$", rendered()["modules.conf"], re.MULTILINE))

    assert "autoload = no" in rendered()["modules.conf"]
    assert {"res_agi", "app_confbridge", "app_bridgewait", "chan_pjsip"} <= loaded
    assert {
        name for name in loaded if re.search("dial|origin|system|shell|exec|spool|curl|ari|_http_m", name)
    } == {"app_dial"}


def test_only_the_dialer_can_enter_the_way_out_or_any_context_of_calls_that_it_placed(
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
    files = rendered(browser_phone=True, calls_at_once=9, trunk_channels=12)
    steps = contexts(files["extensions.conf"])[Context.DIAL]
    dialled = [place for place, (app, _) in enumerate(steps) if app == "Dial"]

    assert len(dialled) == 5 + 2  # the phones in the browser, the prefixes
    for place in dialled:
        assert steps[place - 2 : place] == [
            ("Set", "GROUP()=calls"),
            ("GotoIf", f"$[${{GROUP_COUNT(calls)}} > 9 | {IN_THE_TRUNK} > 12]?capped,1"),
        ]
    assert ("Hangup", str(CAPPED_CAUSE)) in steps


def test_what_the_network_said_is_told_before_the_call_ends_and_nothing_of_it_but_a_number(rendered: Render):
    steps = contexts(rendered(browser_phone=True)["extensions.conf"])[Context.DIAL]

    assert [app for app, _ in steps[-2:]] == ["UserEvent", "Hangup"]
    assert steps[-2][1] == f"{SAID_EVENT},Sip: ${{sip}}"
    silent = [what for app, what in steps if app == "Set" and re.fullmatch(r"sip=\d+", what)]
    assert silent == ["sip=480"] * 5 + ["sip=0"] * 2, "a page that is closed is no fault of the trunk's"
    said = [what for app, what in steps if "{said" in what]
    assert said == ['sip=${IF($["${said:0:4}" = "SIP "]?${FILTER(0-9,${said:4:3})}:${sip})}']


def test_nobody_who_gets_at_the_dialplan_can_run_programs_or_write_files_by_it(rendered: Render):
    options = dict(sections(rendered()["asterisk.conf"]))["options"]

    assert options["live_dangerously"] == "no"


# --- what the dialplan and the scripts say to each other ---


def test_a_call_whose_script_did_not_finish_hears_an_apology(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.HOTLINE])
    after = steps[steps.index(("AGI", "menu")) :]

    assert [app for app, _ in after[:5]] == ["AGI", "GotoIf", "GotoIf", "Playback", "Hangup"]
    assert after[1][1] == '$["${HOTLINE_STAYS}" != ""]?on-the-line,s,1'
    assert after[2][1] == '$["${HOTLINE_FINISHED}" = "1"]?end'
    assert after[3][1].endswith("/apology")


def test_a_caller_who_stays_on_the_line_is_taken_out_of_the_script_by_a_callback_that_meets_them(
    rendered: Render,
):
    dialplan = contexts(rendered()["extensions.conf"])
    steps = outline(dialplan[Context.ON_THE_LINE])

    assert steps[:3] == [
        ("Set", "TIMEOUT(absolute)=0"),  # a conversation has no limit of the call's own
        ("Set", "AGIEXITONHANGUP=yes"),
        ("AGI", "on-the-line"),
    ]
    assert ",${HOTLINE_STAYS})" in rendered()["extensions.conf"]
    assert [app for app, _ in steps[3:]] == ["GotoIf", "Playback", "Hangup"]
    assert dialplan[Context.MEET] == [("Bridge", "${HOTLINE_MEETS},x"), ("Hangup", "")]


def test_of_what_the_network_says_of_a_caller_only_a_number_reaches_the_script(rendered: Render):
    steps = contexts(rendered()["extensions.conf"])[Context.HOTLINE]

    assert steps[:4] == [
        ("Set", "CALLERID(num)=${FILTER(0-9+,${CALLERID(num)})}"),
        ("Set", "CALLERID(name)="),
        ("Set", "CALLERID(dnid)=137"),
        ("Set", "CALLERID(rdnis)="),
    ]


def test_whoever_dials_anything_but_digits_as_the_trunk_comes_nowhere(rendered: Render):
    text = rendered()["extensions.conf"].partition("exten => _[+0-9]!,1,")[2]

    assert text.split("\n")[:4] == [
        "GotoIf($[${LEN(${FILTER(0-9+,${EXTEN})})} != ${LEN(${EXTEN})}]?strange)",
        ' same => n,GotoIf($["${EXTEN:-3}" = "137"]?s,1)',
        " same => n(strange),NoOp()",
        " same => n,Hangup(1)",
    ]


def test_one_number_takes_so_many_lines_and_is_busy_with_the_next_before_it_is_answered(rendered: Render):
    steps = contexts(rendered(callers_per_number=3)["extensions.conf"])[Context.HOTLINE]
    before = steps[: [app for app, _ in steps].index("Answer")]

    many = f"$[${{GROUP_COUNT(${{CALLERID(num):-10}}@number)}} > 3]?{Context.LINES_FULL},s,busy"
    assert before[6:10] == [
        ("GotoIf", "$[${LEN(${CALLERID(num)})} < 5]?counted"),
        ("Set", "GROUP(number)=${CALLERID(num):-10}"),
        ("GotoIf", many),
        ("NoOp", ""),
    ]


def test_whoever_is_one_too_many_hears_it_before_any_script(rendered: Render):
    dialplan = contexts(rendered(max_calls=7)["extensions.conf"])
    steps, full = dialplan[Context.HOTLINE], dialplan[Context.LINES_FULL]
    names = [app for app, _ in steps]

    jump = ("GotoIf", f"$[${{GROUP_COUNT(callers)}} > 7]?{Context.LINES_FULL},s,1")
    assert jump in steps[: names.index("AGI")]
    assert [app for app, _ in full] == ["Set", "Playback", "Hangup", "Set", "Hangup", "AGI"]
    assert full[1][1].endswith(f"/fa/{LINES_FULL}")


def test_who_would_take_a_channel_that_is_kept_for_callbacks_is_busy_and_not_even_answered(
    rendered: Render,
):
    files = rendered(trunk_channels=12, channels_for_callbacks=3)
    steps, full = (contexts(files["extensions.conf"])[c] for c in (Context.HOTLINE, Context.LINES_FULL))
    names = [app for app, _ in steps]

    kept = "${GROUP_COUNT(callers)} + ${GROUP_COUNT(told-full)} > 9"
    jump = ("GotoIf", f"$[{kept} | {IN_THE_TRUNK} > 12]?{Context.LINES_FULL},s,busy")
    assert jump in steps[: names.index("Answer")]
    assert full[3:5] == [("Set", "GROUP()=busy"), ("Hangup", "17")]


def test_a_callback_tells_each_stage_that_the_dialer_knows_and_waits_only_once_confirmed(rendered: Render):
    dialplan = contexts(rendered()["extensions.conf"])
    told = {
        context: [
            what.removeprefix(f"{STAGE_EVENT},Stage: ") for app, what in steps if what.startswith(STAGE_EVENT)
        ]
        for context, steps in dialplan.items()
    }

    assert {stage for stages in told.values() for stage in stages} == {stage.value for stage in Stage}
    assert told[Context.CALLBACK] == [Stage.ANSWERED, Stage.FAILED, Stage.NOT_CONFIRMED]
    assert told[Context.WAITING] == [Stage.CONFIRMED]
    assert dialplan[Context.LATER][0] == ("UserEvent", f"{STAGE_EVENT},Stage: {Stage.LATER}")
    assert dialplan[Context.CALLBACK][-1] == ("Goto", f"{Context.WAITING},s,1")


def test_who_waits_is_told_so_first_and_has_music_if_the_script_breaks(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.WAITING])

    assert [app for app, _ in steps] == ["UserEvent", "Set", "AGI", "GotoIf", "BridgeWait", "Hangup"]
    assert steps[1][1] == "AGIEXITONHANGUP=yes"


def test_only_the_conversation_of_who_was_told_is_recorded_under_its_token_once(
    rendered: Render, configured: Callable[..., Settings]
):
    dialplan = contexts(rendered()["extensions.conf"])

    assert [context for context, steps in dialplan.items() if "MixMonitor" in dict(steps)] == [Context.ROOM]
    assert dialplan[Context.ROOM][:3] == [
        ("GotoIf", '$["${HOTLINE_RECORDED}" != "yes"]?talk'),
        ("Set", "HOTLINE_RECORDED=begun"),
        ("MixMonitor", f"{configured().recordings_dir}/${{UNIQUEID}}.wav"),
    ]
    assert stat.S_IMODE(configured().recordings_dir.stat().st_mode) == 0o700


def test_a_supervisors_phone_is_heard_by_whom_it_should_and_goes_home_afterwards(rendered: Render):
    files = rendered()
    dialplan = contexts(files["extensions.conf"])
    deeds = {context: dialplan[context][1] for context in SUPERVISE}

    assert deeds == {
        Context.LISTEN: ("ChanSpy", "${HOTLINE_HEARS},qES"),
        Context.WHISPER: ("ChanSpy", "${HOTLINE_HEARS},qwES"),
        Context.JOIN: ("ConfBridge", "desk-${EXTEN},desk-room,supervisor"),
    }
    for context in SUPERVISE:
        assert dialplan[context][0] == ("UserEvent", f"HotlineSupervise,Context: {context},Desk: ${{EXTEN}}")
        assert dialplan[context][2] == ("Goto", "from-desk,1,room")
    assert "n(room),ConfBridge(desk-${desk}," in files["extensions.conf"]


def test_every_channel_variable_has_its_name_from_the_one_list(rendered: Render):
    used = set(re.findall(r"HOTLINE_\w+", rendered()["extensions.conf"]))

    assert used == {variable.value for variable in Variable}
    assert not [path.name for path in TEMPLATES.iterdir() if "HOTLINE_" in path.read_text()]


def test_every_script_asked_for_is_there_and_no_other(rendered: Render, configured: Callable[..., Settings]):
    secret = configured().secret_for("agi")
    asked = re.findall(rf"AGI\(agi://[^/]+/([^,)]*),{secret}", rendered()["extensions.conf"])

    assert rendered()["extensions.conf"].count("AGI(") == len(asked), "each with the secret"
    assert sorted(asked) == sorted(Script) == sorted(scripts(Reception(create_engine("sqlite://"))))


def test_every_context_is_of_the_one_list(rendered: Render):
    named = contexts(rendered(browser_phone=True)["extensions.conf"]).keys() - {"globals"}

    assert named == {context.value for context in Context}


def test_what_the_dialplan_plays_by_itself_is_one_rendered_clip(
    rendered: Render, configured: Callable[..., Settings]
):
    played = [
        (folder, prompt)
        for folder, prompt in re.findall(r"Playback\((.*)/([\w-]+)\)", rendered()["extensions.conf"])
        if prompt not in (LINES_FULL, *ASIDES)
    ]

    assert {folder for folder, _ in played} == {f"{configured().prompts_dir}/${{HOTLINE_LANGUAGE}}"}
    assert all(clips("fa", prompt) == [prompt] for _, prompt in played)
    assert len(played) >= 3


def test_machines_are_listened_for_only_where_it_is_set(rendered: Render):
    def steps(**values: Any) -> list[tuple[str, str]]:
        return outline(contexts(rendered(**values)["extensions.conf"])[Context.CALLBACK])[:3]

    assert [app for app, _ in steps()] == ["UserEvent", "AGI", "GotoIf"]
    assert "app_amd" not in rendered()["modules.conf"]
    assert [app for app, _ in steps(detect_machines=True)] == ["UserEvent", "AMD", "AGI"]
    assert "${AMDSTATUS})" in rendered(detect_machines=True)["extensions.conf"]
    assert "app_amd" in rendered(detect_machines=True)["modules.conf"]


def test_the_tone_is_whispered_to_one_phone(rendered: Render):
    dialplan = contexts(rendered()["extensions.conf"])

    assert dialplan[Context.ASIDE] == [("ChanSpy", "${HOTLINE_HEARS},qwES"), ("Hangup", "")]
    assert [app for app, _ in dialplan[Context.TONE]] == ["Answer", "Playback", "Hangup"] * 3


TOLD = ["UserEvent", "Playback", "Hangup", "UserEvent", "Hangup"]


def test_a_call_before_the_turn_runs_its_script_and_leads_nowhere(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.NEAR])

    assert [app for app, _ in steps] == ["NoOp", "AGI", "GotoIf", *TOLD]
    assert steps[1:3] == [("AGI", "near"), ("GotoIf", '$["${HOTLINE_FINISHED}" = "1"]?spoke')]


@pytest.mark.parametrize("context", [Context.NEAR, Context.CONFIRM])
def test_a_call_that_is_no_callback_tells_whether_its_script_was_there_and_apologises_if_not(
    rendered: Render, context: Context
):
    steps = outline(contexts(rendered()["extensions.conf"])[context])[3:]

    assert [app for app, _ in steps] == TOLD
    assert steps[0][1] == f"{STAGE_EVENT},Stage: {Stage.FAILED}"
    assert steps[1][1].endswith("/apology")
    assert steps[3][1] == f"{STAGE_EVENT},Stage: {Stage.SPOKE}"


def test_an_officials_telephone_comes_into_the_room_by_its_pin_alone(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.OFFICIAL])

    assert steps == [
        ("NoOp", ""),
        ("AGI", "official"),
        ("GotoIf", '$["${HOTLINE_CONFIRMED}" = "yes"]?in'),
        ("Hangup", ""),
        ("Set", "desk=${EXTEN}"),
        ("Goto", "from-desk,1,1"),
    ]


# --- the manager account ---


def test_the_manager_account_may_do_what_the_dialer_needs_and_no_more(
    rendered: Render, configured: Callable[..., Settings]
):
    (_, general), (name, account) = sections(rendered(ami="127.0.0.1:5039")["manager.conf"])

    assert (name, account["secret"]) == ("dialer", configured().secret_for("dialer"))
    assert set(account["read"].split(",")) == {"call", "user", "system"}
    assert set(account["write"].split(",")) == {"call", "originate", "reporting"}
    assert (account["deny"], account["permit"]) == ("0.0.0.0/0.0.0.0", "127.0.0.0/255.0.0.0")
    assert (general["bindaddr"], general["port"], general["webenabled"]) == ("127.0.0.1", "5039", "no")


def test_the_manager_hears_and_may_nothing_that_runs_programs_or_changes_files(rendered: Render):
    _, (_, account) = sections(rendered()["manager.conf"])
    rights = {right for kind in ("read", "write") for right in account[kind].split(",")}

    assert not rights & {"all", "command", "config", "agi", "dialplan", "log", "verbose", "dtmf"}
    assert "system" not in account["write"].split(",")


# --- secrets ---


def test_passwords_stand_only_in_a_folder_that_is_the_owners(
    rendered: Render, configured: Callable[..., Settings]
):
    rendered(browser_phone=True, trunk_user="isfahan", trunk_secret="S3cret!of-the-trunk")
    settings = configured()
    state = settings.state_dir
    names = ["dialer", "desk-1", "desk-1-sip", "desk-3", "phone-1"]
    secrets = [settings.secret_for(name) for name in names] + ["S3cret!of-the-trunk"]
    files = [path for path in state.rglob("*") if path.is_file()]
    holding = {secret: [path for path in files if secret in path.read_text()] for secret in secrets}

    etc = state / "asterisk" / "etc"
    assert all(paths and {path.parent for path in paths} == {etc} for paths in holding.values())
    assert stat.S_IMODE(etc.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secret").stat().st_mode) == 0o600


def test_a_folder_left_open_by_somebody_is_closed_again(
    rendered: Render, configured: Callable[..., Settings]
):
    etc = configured().state_dir / "asterisk" / "etc"
    etc.mkdir(parents=True)
    etc.chmod(0o777)

    rendered()

    assert stat.S_IMODE(etc.stat().st_mode) == 0o700


def test_another_installation_has_other_passwords(configured: Callable[..., Settings], tmp_path: Path):
    here, there = configured(), configured(state_dir=tmp_path / "other")

    assert here.secret_for("desk-1") == configured().secret_for("desk-1")
    assert here.secret_for("desk-1") != there.secret_for("desk-1")
    assert here.secret_for("desk-1") != here.secret_for("desk-11")


# --- settings ---


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *[
            ("trunk_host", f"{host}:5060")
            for host in ("", "127.0.0.1\n[evil]", "127.0.0.1;", "a,b", "a b", "[", "x)\n same => n,Dial(y")
        ],
        ("trunk_host", "127.0.0.1"),
        ("trunk_host", "127.0.0.1:0"),
        ("trunk_host", "127.0.0.1:65536"),
        *[(name, "127.0.0.1\n[evil]:5060") for name in ("sip", "agi", "ami", "asterisk_http")],
        ("trunk_user", "x\npassword=1"),
        ("trunk_user", "x;y"),
        ("trunk_user", "x]\n"),
        ("trunk_secret", "x\n[evil]"),
        ("trunk_secret", "x;y"),
        ("trunk_secret", "x\\"),
        ("trunk_allowed", "0.0.0.0/0\n[evil]"),
        ("trunk_allowed", "fe80::1%;"),
        ("trunk_allowed", "everybody"),
        ("trunk_codecs", "alaw\n[evil]"),
        ("trunk_codecs", ""),
        ("public_address", "1.2.3.4\n[evil]"),
        ("public_address", "1.2.3.4;"),
        ("rtp_ports", "10000-10999\n[evil]"),
        ("rtp_ports", "20-30"),
        ("allowed_prefixes", "98"),
        ("allowed_prefixes", ""),
        ("desks", 0),
        ("state_dir", "/srv/a\n[evil]"),
        ("state_dir", "/srv/a;b"),
        ("state_dir", "/srv/a,b"),
        ("state_dir", "/srv/${SHELL(reboot)}"),
    ],
)
def test_a_setting_that_would_write_configuration_of_its_own_is_refused_by_name(
    configured: Callable[..., Settings], setting: str, value: object
):
    with pytest.raises(SettingsError, match=f"HOTLINE_{setting.upper()}="):
        configured(**{setting: value})


def test_a_trunk_with_a_password_registers_with_it_and_one_without_does_not(rendered: Render):
    assert "registration" not in {v.get("type") for _, v in sections(rendered()["pjsip.conf"])}

    parts = sections(
        rendered(trunk_user="isfahan", trunk_secret="p!=q", trunk_host="192.0.2.1:5061")["pjsip.conf"]
    )
    registration = next(values for _, values in parts if values.get("type") == "registration")
    password = next(v for name, v in parts if name == "trunk" and v.get("type") == "auth")

    assert registration["client_uri"] == "sip:isfahan@192.0.2.1:5061"
    assert (password["username"], password["password"]) == ("isfahan", "p!=q")


def test_every_file_stays_in_the_state_folder_and_leaves_nothing_unfilled(
    rendered: Render, configured: Callable[..., Settings]
):
    files = rendered(browser_phone=True, public_address="hotline.isfahan.ir")
    folders = dict(sections(files["asterisk.conf"]))["directories"]
    read_only = {"astmoddir": "/opt/modules", "astdatadir": "/opt/data"}

    assert {key: folders.pop(key) for key in read_only} == read_only
    state = configured().state_dir
    assert all(Path(folder).is_relative_to(state) and Path(folder).is_dir() for folder in folders.values())
    assert not [name for name, text in files.items() if re.search(r"\{\{|\}\}|\{%|None|Undefined", text)]


# --- accounts ---


@pytest.mark.parametrize("number", [1, 9, 10, 500])
def test_a_desks_channels_lead_back_to_the_desk(number: int):
    for account in (accounts.desk(number), accounts.desk(number, sip=True)):
        assert accounts.desk_of_channel(f"PJSIP/{account}-0000002a") == number


@pytest.mark.parametrize(
    "channel",
    [
        *("", "PJSIP/desk-1", "PJSIP/desk-x-0000002a", "PJSIP/desk--0000002a", "PJSIP/desk-1-tcp-0000002a"),
        *(
            "PJSIP/trunk-0000002a",
            "PJSIP/phone-1-0000002a",
            "Local/desk-1-0000002a",
            "xPJSIP/desk-1-0000002a",
        ),
    ],
)
def test_other_channels_are_no_desks(channel: str):
    assert accounts.desk_of_channel(channel) is None


@pytest.mark.parametrize(
    ("values", "pattern", "dials"),
    [
        ({}, "_+989XXXXXXXXX", "PJSIP/0${EXTEN:3}@trunk,30,iI"),
        ({}, "_+9831X!", "PJSIP/0${EXTEN:3}@trunk,30,iI"),
        ({"trunk_national": False}, "_+989XXXXXXXXX", "PJSIP/${EXTEN}@trunk,30,iI"),
        ({"allowed_prefixes": "+98913"}, "_+98913XXXXXXX", "PJSIP/0${EXTEN:3}@trunk,30,iI"),
        ({"allowed_prefixes": "+4930"}, "_+4930X!", "PJSIP/${EXTEN}@trunk,30,iI"),
        ({"browser_phone": True}, "+989990000001", "PJSIP/phone-1,30,iI"),
    ],
)
def test_a_number_is_dialled_as_the_carrier_wants_it_and_no_forwarding_is_followed(
    rendered: Render, values: dict[str, object], pattern: str, dials: str
):
    steps = rendered(calls_at_once=7, **values)["extensions.conf"].partition(f"exten => {pattern},1,")[2]

    assert steps.split("\n")[:3] == [
        "Set(GROUP()=calls)",
        f" same => n,GotoIf($[${{GROUP_COUNT(calls)}} > 7 | {IN_THE_TRUNK} > 211]?capped,1)",
        f" same => n,Dial({dials})",
    ]


def test_only_allowed_prefixes_lead_out(rendered: Render):
    text = rendered(allowed_prefixes="+989")["extensions.conf"]
    way_out = text[text.index(f"[{Context.DIAL}]") :].partition("\n[")[0]

    assert re.findall(r"^exten => ([^,]+),", way_out, re.MULTILINE) == ["_+989XXXXXXXXX", "capped", "ended"]
    assert text.count("Dial(") == way_out.count("Dial(")


def test_the_hang_ups_that_the_dialer_is_told_of_are_those_of_callbacks() -> None:
    assert callbacks.is_token(CALLBACK_PREFIX)
    assert not callbacks.is_token(CALLBACK_PREFIX[:-1])
