"""The variables between the dialplan and the scripts, and callers above the limit."""

import itertools
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from db.models import OutboundKind
from dialplan import accounts
from dialplan.variables import (
    ASIDES,
    LINES_FULL,
    LINES_FULL_OFFER,
    OUTBOUND,
    STAGE_EVENT,
    SUPERVISE,
    Context,
    Script,
    Stage,
    Variable,
)
from ivr.caller_cache import CallerCache
from ivr.server import list_scripts
from prompts.catalogue import list_clips
from settings import Settings
from tests.dialplan.rendered_files import IN_THE_TRUNK, Render, contexts
from tests.kit.trunk_file import make_trunk

AGAIN_AFTER_A_WRONG_KEY = ("GotoIf", '$["${key}" != "" & ${offered} < 3]?again')
PROXY = {"sip_proxy": "192.0.2.20:5060"}
TOO_LATE = "${GROUP_COUNT(callers)} - ${GROUP_COUNT(music@waits)} > ${admitted}"

TEMPLATES = Path(accounts.__file__).parent / "templates"


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


def test_a_call_whose_script_did_not_finish_hears_an_apology(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.HOTLINE])
    after = steps[steps.index(("AGI", "menu")) :]

    assert [app for app, _ in after[:6]] == ["AGI", "GotoIf", "GotoIf", "GotoIf", "Playback", "Hangup"]
    assert after[1][1] == '$["${HOTLINE_STAYS}" != ""]?on-the-line,s,1'
    assert after[2][1] == '$["${HOTLINE_RESCUE}" != ""]?rescue,s,1'
    assert after[3][1] == '$["${HOTLINE_FINISHED}" = "1"]?end'
    assert after[4][1].endswith("/apology")


def test_callback_takes_a_waiting_caller_out_of_the_script(
    rendered: Render,
):
    dialplan = contexts(rendered()["extensions.conf"])
    steps = outline(dialplan[Context.ON_THE_LINE])

    assert steps[:5] == [
        ("Set", "TIMEOUT(absolute)=0"),  # a conversation has no limit of the call's own
        ("Set", "GROUP(waits)=music"),
        ("Set", "AGIEXITONHANGUP=yes"),
        ("Set", "HOTLINE_RESCUE="),
        ("AGI", "on-the-line"),
    ]
    assert ",${HOTLINE_STAYS})" in rendered()["extensions.conf"]
    assert steps[5] == ("GotoIf", '$["${HOTLINE_RESCUE}" != ""]?rescue,s,1')
    assert [app for app, _ in steps[6:]] == ["GotoIf", "Playback", "Hangup"]
    by_name = "${IMPORT(${HOTLINE_MEETS},CHANNEL(name))},x"
    assert dialplan[Context.MEET] == [("Bridge", by_name), ("Hangup", "")]


def test_unanswered_emergency_call_goes_on_to_the_line(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.RESCUE])
    after = steps[steps.index(("AGI", "rescue")) + 1 :]

    assert after[0] == ("GotoIf", '$["${HOTLINE_STAYS}" != ""]?on-the-line,s,1')
    assert [app for app, _ in after[1:]] == ["GotoIf", "Playback", "Hangup"]


def test_caller_of_a_hung_script_hears_that_the_call_goes_on(
    rendered: Render,
):
    steps = contexts(rendered()["extensions.conf"])[Context.HOTLINE]
    at = next(n for n, (app, where) in enumerate(steps) if app == "Playback" and "one-moment" in where)

    assert at < next(n for n, (app, _) in enumerate(steps) if app == "AGI")
    assert steps[at - 2][1].startswith("told_at=0${STAT(M,")
    assert steps[at - 1] == ("GotoIf", "$[${told_at} = 0 | ${EPOCH} - ${told_at} <= 3]?menu")


def test_caller_id_reaches_the_script_as_digits_only(rendered: Render):
    steps = contexts(rendered()["extensions.conf"])[Context.HOTLINE]

    assert steps[:4] == [
        ("Set", "CALLERID(num)=${FILTER(0-9+,${CALLERID(num)})}"),
        ("Set", "CALLERID(name)="),
        ("Set", "CALLERID(dnid)=137"),
        ("Set", "CALLERID(rdnis)="),
    ]


def test_trunk_call_to_anything_but_digits_is_hung_up(rendered: Render):
    text = rendered()["extensions.conf"].partition("exten => _[+0-9]!,1,")[2]

    assert text.split("\n")[:4] == [
        "GotoIf($[${LEN(${FILTER(0-9+,${EXTEN})})} != ${LEN(${EXTEN})}]?strange)",
        ' same => n,GotoIf($["${EXTEN:-3}" = "137"]?s,1)',
        " same => n(strange),NoOp()",
        " same => n,Hangup(1)",
    ]


def test_number_above_its_lines_is_busy_before_the_answer(rendered: Render):
    steps = contexts(rendered(callers_per_number=3)["extensions.conf"])[Context.HOTLINE]
    before = steps[: [app for app, _ in steps].index("Answer")]

    of_number, of_all = (
        "${GROUP_COUNT(${CALLERID(num):-10}@number)} > 3",
        "${GROUP_COUNT(callers)} * 2 > ${admitted}",
    )
    many = f"$[{of_number} & {of_all}]?{Context.LINES_FULL},s,busy"
    assert before[8:12] == [
        ("GotoIf", "$[${LEN(${CALLERID(num)})} < 5]?counted"),
        ("Set", "GROUP(number)=${CALLERID(num):-10}"),
        ("GotoIf", many),
        ("NoOp", ""),
    ]


def test_whoever_is_one_too_many_hears_it_before_any_script(rendered: Render):
    dialplan = contexts(rendered(max_calls=7)["extensions.conf"])
    steps, full = dialplan[Context.HOTLINE], dialplan[Context.LINES_FULL]
    names = [app for app, _ in steps]

    assert ("Set", "admitted=${IF(${LEN(${admitted})}?${admitted}:7)}") in steps[: names.index("Answer")]
    jump = ("GotoIf", f"$[${{GROUP_COUNT(callers)}} > 7 | {TOO_LATE}]?{Context.LINES_FULL},s,1")
    assert jump in steps[: names.index("AGI")]
    assert [app for app, _ in full[:5]] == ["Set", "Set", "GotoIf", "Playback", "Hangup"]
    assert full[3][1].endswith(f"/fa/{LINES_FULL}")
    assert [app for app, _ in full[-3:]] == ["GotoIf", "AGI", "NoOp"], "and is counted once they are gone"


def test_overflow_caller_runs_one_script_and_counts_once(
    rendered: Render,
):
    full = contexts(rendered()["extensions.conf"])[Context.LINES_FULL]
    offer = full[[where for _, where in full].index("TIMEOUT(absolute)=120") :]
    names = [app for app, _ in offer]

    assert names.index("Playback") < names.index("Read"), "who types ahead means the menu"
    assert "AGI" not in names[: names.index("Read")] and names.count("AGI") == 2
    read = offer[names.index("Read")][1]
    assert read.endswith(f"/fa/{LINES_FULL_OFFER},1,,1,6"), "the key ends the prompt"
    after = offer[names.index("Read") + 1 : names.index("AGI")]
    assert after[:2] == [("GotoIf", '$["${key}" = "1"]?leave'), AGAIN_AFTER_A_WRONG_KEY]
    assert offer[names.index("AGI")][1].split(",")[0].endswith(f"/{Script.LEAVE_NUMBER}")
    answers = [where.rpartition("/")[2] for app, where in offer if app == "Playback"]
    assert answers == ["lines-busy", "goodbye", "left-number-failed", "left-number-kept", "left-number-not"]
    assert full[-3][1].endswith('| "${asked}" = "1"]?uncounted')


@pytest.mark.parametrize(
    ("number", "offered"),
    [
        *(("09131234567", True), ("+989131234567", True), ("00989131234567", True), ("9131234567", True)),
        *(("03132221234", True), ("+983132221234", True), ("32221234", True), ("989131234567", True)),
        *(("", False), ("137", False), ("+441632960961", False), ("00441632960961", False)),
        *(("02122334455", False), ("913", False), ("anonymous", False)),
    ],
)
def test_overflow_offer_goes_only_to_numbers_we_may_call(rendered: Render, number: str, offered: bool):
    full = contexts(rendered(allowed_prefixes="+989,+9831")["extensions.conf"])[Context.LINES_FULL]
    (jump,) = [where for _, where in full if where.endswith("?offer")]
    (pattern,) = re.findall(r'REGEX\("(.*)" \$', jump)

    assert bool(re.search(pattern, number)) is offered


def test_key_1_in_an_overflow_callback_opens_the_menu(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.OUTBOUND])
    script = steps.index(("AGI", "solved"))
    assert steps[script + 1] == ("GotoIf", '$["${HOTLINE_CALLER}" != ""]?caller')
    assert steps[-4:] == [
        ("Set", "CALLERID(num)=${HOTLINE_CALLER}"),
        ("Set", "HOTLINE_STAYS="),
        ("Set", "HOTLINE_RESCUE="),
        ("Goto", "hotline,s,menu"),
    ]
    assert ("UserEvent", "HotlineStage,Stage: failed") in steps


@pytest.mark.parametrize(("proxy", "way", "cause"), [({}, "busy", 17), (PROXY, "late", 34)])
def test_late_answers_admit_few_callers_and_refuse_the_others(
    rendered: Render, proxy: dict[str, str], way: str, cause: int
):
    dialplan = contexts(rendered(max_calls=70, **proxy)["extensions.conf"])
    steps, full = dialplan[Context.HOTLINE], dialplan[Context.LINES_FULL]
    before = steps[: [app for app, _ in steps].index("Answer")]

    late = f"${{admitted}} < 70 & {TOO_LATE} & ${{GROUP_COUNT(told-full)}} >= 20"
    assert before[-1] == ("GotoIf", f"$[{late}]?{Context.LINES_FULL},s,{way}")
    read = [given for _, given in before if given.startswith("admitted=${FILE(")]
    assert len(read) == 1 and read[0].endswith("/callers-admitted,0,5)}")
    at = full.index(("Hangup", f"{cause}"))
    assert full[at - 1] == ("Set", "GROUP()=busy")
    untold = '$["${told}" = "" & "${admitted}" != "70" | "${asked}" = "1"]?uncounted'
    assert full[-3] == ("GotoIf", untold), "who is late already is not asked to count, too"


@pytest.mark.parametrize("context", [Context.ON_THE_LINE, Context.RESCUE])
def test_waiting_with_music_takes_no_place_of_an_admission(rendered: Render, context: Context):
    steps = contexts(rendered()["extensions.conf"])[context]

    assert ("Set", "GROUP(waits)=music") in steps[: [app for app, _ in steps].index("AGI")]
    assert ("Set", "GROUP()=callers") not in steps, "they are one of the callers as before"


def test_call_for_a_reserved_channel_is_busy_before_the_answer(
    rendered: Render,
):
    files = rendered(trunks=make_trunk(channels=12), channels_for_callbacks=3)
    steps, full = (contexts(files["extensions.conf"])[c] for c in (Context.HOTLINE, Context.LINES_FULL))
    names = [app for app, _ in steps]

    kept = "${GROUP_COUNT(callers)} + ${GROUP_COUNT(told-full)} > 9"
    jump = ("GotoIf", f"$[{kept} | {IN_THE_TRUNK} > 12]?{Context.LINES_FULL},s,busy")
    assert jump in steps[: names.index("Answer")]
    assert full[full.index(("Hangup", "17")) - 1] == ("Set", "GROUP()=busy")


def test_callback_reports_each_stage_and_waits_once_confirmed(rendered: Render):
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


def test_waiting_is_reported_first_and_survives_a_broken_script(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.WAITING])

    assert [app for app, _ in steps] == ["UserEvent", "Set", "AGI", "GotoIf", "BridgeWait", "Hangup"]
    assert steps[1][1] == "AGIEXITONHANGUP=yes"


def test_announced_conversation_is_recorded_once_by_its_token(
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


def test_supervisors_phone_joins_a_room_and_returns_afterwards(rendered: Render):
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
    used = set(re.findall(r"HOTLINE_\w+", rendered(sip_proxy="192.0.2.20:5060")["extensions.conf"]))

    assert used == set(Variable) - {Variable.BACK}  # that one the dialer tells the scripts
    assert not [path.name for path in TEMPLATES.iterdir() if "HOTLINE_" in path.read_text()]


def test_every_script_asked_for_is_there_and_no_other(rendered: Render, configured: Callable[..., Settings]):
    secret = configured().secret_for("agi")
    asked = re.findall(rf"AGI\(agi://[^/]+/([^,)]*),{secret}", rendered()["extensions.conf"])

    assert rendered()["extensions.conf"].count("AGI(") == len(asked), "each with the secret"
    assert sorted(asked) == sorted(Script) == sorted(list_scripts(CallerCache(create_engine("sqlite://"))))


def test_every_kind_of_outgoing_call_has_its_extension():
    assert sorted(OUTBOUND) == sorted(OutboundKind)


def test_every_context_is_of_the_one_list(rendered: Render):
    files = rendered(browser_phone=True, sip_proxy="192.0.2.20:5060")
    named = contexts(files["extensions.conf"]).keys() - {"globals"}

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
    assert all(list_clips("fa", prompt) == [prompt] for _, prompt in played)
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


@pytest.mark.parametrize(
    "context",
    [
        *(Context.CONFIRM, Context.TRIAL, Context.URGENT),
    ],
)
def test_system_call_reports_its_script_and_apologises_for_none(rendered: Render, context: Context):
    steps = outline(contexts(rendered()["extensions.conf"])[context])[3:]

    assert [app for app, _ in steps] == TOLD
    assert steps[0][1] == f"{STAGE_EVENT},Stage: {Stage.FAILED}"
    assert steps[1][1].endswith("/apology")
    assert steps[3][1] == f"{STAGE_EVENT},Stage: {Stage.SPOKE}"


def test_officials_phone_enters_the_room_by_its_pin_alone(rendered: Render):
    steps = outline(contexts(rendered()["extensions.conf"])[Context.OFFICIAL])

    assert steps == [
        ("NoOp", ""),
        ("AGI", "official"),
        ("GotoIf", '$["${HOTLINE_CONFIRMED}" = "yes"]?in'),
        ("Hangup", ""),
        ("Set", "desk=${EXTEN}"),
        ("Goto", "from-desk,1,in"),
    ]
