"""The accounts of desks and of the manager: their passwords, their channels, and where they may dial."""

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dialplan import accounts
from dialplan.variables import CALLBACK_PREFIX, Context
from hotline.callbacks import transitions
from settings import Settings
from tests.dialplan.rendered_files import IN_THE_TRUNK, Render, sections
from tests.kit.trunk_file import make_trunk

# --- the manager account ---


def test_manager_account_has_only_the_rights_of_the_dialer(
    rendered: Render, configured: Callable[..., Settings]
):
    (_, general), (name, account) = sections(rendered(ami="127.0.0.1:5039")["manager.conf"])

    assert (name, account["secret"]) == ("dialer", configured().secret_for("dialer"))
    assert set(account["read"].split(",")) == {"call", "user", "system"}
    assert set(account["write"].split(",")) == {"call", "originate", "reporting"}
    assert (account["deny"], account["permit"]) == ("0.0.0.0/0.0.0.0", "127.0.0.0/255.0.0.0")
    assert (general["bindaddr"], general["port"], general["webenabled"]) == ("127.0.0.1", "5039", "no")


def test_manager_may_not_run_programs_or_change_files(rendered: Render):
    _, (_, account) = sections(rendered()["manager.conf"])
    rights = {right for kind in ("read", "write") for right in account[kind].split(",")}

    assert not rights & {"all", "command", "config", "agi", "dialplan", "log", "verbose", "dtmf"}
    assert "system" not in account["write"].split(",")


# --- secrets ---


def test_passwords_stand_only_in_a_folder_that_is_the_owners(
    rendered: Render, configured: Callable[..., Settings]
):
    rendered(browser_phone=True, trunks=make_trunk(user="isfahan", secret="S3cret!of-the-trunk"))
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


# --- accounts ---


@pytest.mark.parametrize("number", [1, 9, 10, 500])
def test_a_desks_channels_lead_back_to_the_desk(number: int):
    for account in (accounts.get_desk_account(number), accounts.get_desk_account(number, sip=True)):
        assert accounts.find_channel_desk(f"PJSIP/{account}-0000002a") == number


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("PJSIP/trunk-0000002a", "trunk"),
        ("PJSIP/trunk-second-0000002a", "second"),
        ("PJSIP/trunk-a-2-0000002a", "a-2"),
        ("PJSIP/alive-second-0000002a", None),
        ("PJSIP/desk-1-0000002a", None),
        ("PJSIP/trunk-second", None),
        ("Local/trunk-second-0000002a", None),
    ],
)
def test_a_trunks_channels_lead_back_to_the_trunk(channel: str, name: str | None):
    assert accounts.find_channel_trunk(channel) == name


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
    assert accounts.find_channel_desk(channel) is None


@pytest.mark.parametrize(
    ("values", "pattern", "then"),
    [
        ({}, "_+989XXXXXXXXX", "Set(number=${EXTEN})"),
        ({}, "_+9831X!", "Set(number=${EXTEN})"),
        ({"allowed_prefixes": "+98913"}, "_+98913XXXXXXX", "Set(number=${EXTEN})"),
        ({"allowed_prefixes": "+4930"}, "_+4930X!", "Set(number=${EXTEN})"),
        ({"browser_phone": True}, "+989990000001", "Dial(PJSIP/phone-1,30,iI)"),
    ],
)
def test_outgoing_call_needs_a_free_channel_and_never_forwards(
    rendered: Render, values: dict[str, object], pattern: str, then: str
):
    steps = rendered(calls_at_once=7, **values)["extensions.conf"].partition(f"exten => {pattern},1,")[2]

    assert steps.split("\n")[:4] == [
        'GotoIf($["${HOTLINE_BEFORE}" != "" & ${EPOCH} >= 0${HOTLINE_BEFORE}]?capped,1)',
        " same => n,Set(GROUP()=calls)",
        f" same => n,GotoIf($[${{GROUP_COUNT(calls)}} > 7 | {IN_THE_TRUNK} > 211]?capped,1)",
        f" same => n,{then}",
    ]


def test_only_allowed_prefixes_lead_out(rendered: Render):
    text = rendered(allowed_prefixes="+989")["extensions.conf"]
    way_out = text[text.index(f"[{Context.DIAL}]") :].partition("\n[")[0]

    ways = ["_+989XXXXXXXXX", "next", "_by-!", "by-trunk", "capped", "ended", "told"]
    assert re.findall(r"^exten => ([^,]+),", way_out, re.MULTILINE) == ways
    assert text.count("Dial(") == way_out.count("Dial(") == 1


def test_reported_hang_ups_are_those_of_callbacks() -> None:
    assert transitions.is_token(CALLBACK_PREFIX)
    assert not transitions.is_token(CALLBACK_PREFIX[:-1])
