"""Leaving the directory ends a person's sessions within a minute; against Debian's slapd."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Role, User
from hotline import audit
from hotline.directory import ldap, ldap_connection, members, roles, state, sync
from hotline.people import accounts, sign_ins, staff
from settings import Settings
from tests.factories import a_department, a_desk, a_user, at_once
from tests.kit.databases import in_both
from tests.kit.directory import Office, a_uid
from tests.kit.ports import free_port
from tests.kit.slapd import BASE, PASSWORD, Slapd

Signed = Callable[[str], int]


@pytest.fixture
def signed_in(office: Office, engine: Engine) -> Signed:
    """Signs a person of the directory in, who is known here from then on; their id here."""

    def sign_in(uid: str, **changed: Any) -> int:
        settings = office.settings.model_copy(update=changed)
        grants = roles.read(settings.directory_roles)
        member = ldap.prove_person(settings, uid, PASSWORD, {each.group for each in grants})
        assert member is not None
        with writing(engine) as session:
            user = members.admit(
                session,
                directory_id=member.id,
                username=member.username,
                name=member.name,
                grant=roles.grant(grants, member.groups),
                settings=settings,
            )
            sign_ins.sign_in(session, user)
            return user.id

    return sign_in


def sessions(engine: Engine, user_id: int) -> int:
    with reading(engine) as session:
        return len(sign_ins.list_sessions(session, user_id))


def person(engine: Engine, user_id: int) -> User:
    with reading(engine) as session:
        return session.get_one(User, user_id)


def log(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        return [(e.who, e.action, e.reason) for e in audit.search(session)][::-1]


@in_both
def test_first_sign_in_gives_the_role_of_the_group_and_is_logged(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    with writing(engine) as session:
        department = a_department(session)
    office.group(office.slapd.person(uid), role="department", department=department.name_fa, head=True)
    mine = person(engine, signed_in(uid.upper()))
    assert (mine.username, mine.name, mine.role) == (uid, f"کارمند {uid}", Role.DEPARTMENT)
    assert (mine.department_id, mine.heads_department) == (department.id, True)
    assert log(engine)[0] == (
        audit.DIRECTORY,
        "person-added",
        f"department, department {department.id}, head",
    )
    assert sync.take(engine, office.settings) == ""
    assert sessions(engine, mine.id) == 1
    assert len(log(engine)) == 1, "nothing has changed"


@in_both
def test_simultaneous_first_sign_ins_make_one_account(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    office.group(office.slapd.person(uid))
    ids = at_once(4, lambda _: _tried(signed_in, uid))
    assert len({each for each in ids if each}) == 1


def _tried(signed_in: Signed, uid: str) -> int | None:
    try:
        return signed_in(uid)
    except Exception:  # the loser of a race may be told to try again
        return None


def _deleted(slapd: Slapd, dn: str, _group: str) -> None:
    slapd.delete(dn)


def _moved_out_of_the_group(slapd: Slapd, dn: str, group: str) -> None:
    slapd.quit(group, dn)


@pytest.mark.parametrize("leave", [_deleted, _moved_out_of_the_group])
@in_both
def test_leaver_loses_session_and_desk_alone(
    office: Office, engine: Engine, signed_in: Signed, leave: Callable[[Slapd, str, str], None]
) -> None:
    leaver, stayer = a_uid(), a_uid()
    dn = office.slapd.person(leaver)
    group = office.group(dn, office.slapd.person(stayer))
    gone, here = signed_in(leaver), signed_in(stayer)
    with writing(engine) as session:
        session.get_one(User, gone).desk = a_desk(session)
        local = a_user(session).id
        sign_ins.sign_in(session, session.get_one(User, local))
    leave(office.slapd, dn, group)
    assert sync.take(engine, office.settings) == ""
    assert [sessions(engine, each) for each in (gone, here, local)] == [0, 1, 1]
    left = person(engine, gone)
    assert left.disabled_at is not None and left.left_directory_at is not None and left.desk_id is None
    assert log(engine)[-1][:2] == (audit.DIRECTORY, "person-disabled")


@pytest.mark.parametrize(
    ("values", "barred"),
    [
        ({"userAccountControl": 514}, "disabled"),
        ({"accountExpires": 132_223_104_000_000_000}, "expired"),
        ({"msDS_User_Account_Control_Computed": 0x10}, "locked"),
    ],
)
def test_barred_account_of_active_directory_loses_its_sessions(
    office: Office, engine: Engine, signed_in: Signed, values: dict[str, int], barred: str
) -> None:
    account = a_uid("Windows")
    dn = office.slapd.windows_person(account, (b"\0\xff)*(\\" + account.encode())[:16].ljust(16))
    windows = {"ldap_user_attribute": "sAMAccountName", "ldap_filter": "(objectClass=windowsAccount)"}
    office.group(dn)
    settings = office.settings.model_copy(update=windows)
    gone = signed_in(account, **windows)
    assert sync.take(engine, settings) == "" and sessions(engine, gone) == 1
    office.slapd.set(dn, **values)
    assert sync.take(engine, settings) == ""
    assert sessions(engine, gone) == 0
    assert log(engine)[-1][2] == f"directory-{barred}"
    assert (person(engine, gone).disabled_at is None) is (barred == "locked")


def test_returning_person_is_enabled_unless_we_disabled_them(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid)
    group = office.group(dn)
    mine = signed_in(uid)
    office.slapd.quit(group, dn)
    sync.take(engine, office.settings)
    office.slapd.join(group, dn)
    assert signed_in(uid) == mine
    assert person(engine, mine).disabled_at is None and log(engine)[-1][1] == "person-enabled"
    with writing(engine) as session:
        staff.disable(session, staff.get(session, mine), who="admin", settings=office.settings)
    with pytest.raises(Exception, match="wrong-credentials"):
        signed_in(uid)


@in_both
def test_other_group_changes_the_role_within_the_session(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid)
    supervisors = office.group(role="supervisor")
    office.group(dn)
    mine = signed_in(uid)
    office.slapd.join(supervisors, dn)
    office.slapd.set(dn, displayName="نام تازه")
    assert sync.take(engine, office.settings) == ""
    now = person(engine, mine)
    assert (now.role, now.name, sessions(engine, mine)) == (Role.SUPERVISOR, "نام تازه", 1)


def test_renamed_entry_keeps_its_account(office: Office, engine: Engine, signed_in: Signed) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid)
    group = office.group(dn)
    mine = signed_in(uid)
    renamed = a_uid("married")
    office.slapd.move(dn, f"uid={renamed}")
    office.slapd.join(group, dn.replace(uid, renamed))
    assert sync.take(engine, office.settings) == "" and sessions(engine, mine) == 1
    assert signed_in(renamed) == mine


def test_reassigned_name_is_not_the_earlier_person(office: Office, engine: Engine, signed_in: Signed) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid)
    group = office.group(dn)
    mine = signed_in(uid)
    office.slapd.delete(dn)
    sync.take(engine, office.settings)
    office.slapd.person(uid)
    office.slapd.quit(group, dn)
    office.slapd.join(group, dn)
    with pytest.raises(Exception, match="directory-name-taken"):
        signed_in(uid)
    with writing(engine) as session:
        members.adopt(session, uid, who=audit.COMMAND_LINE)
    assert person(engine, mine).disabled_at is not None
    with writing(engine) as session:
        staff.enable(session, staff.get(session, mine), who="admin")
    assert signed_in(uid) == mine


def _nothing(_wire: socket.socket) -> None:
    """It takes connections and never says a word."""


def _half_a_word(wire: socket.socket) -> None:
    wire.recv(100)
    wire.sendall(b"\x30\x84\x00\x00")


def _garbage(wire: socket.socket) -> None:
    wire.recv(100)
    wire.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)


def _trickles(wire: socket.socket) -> None:
    """Its answer would take minutes, and something of it comes all the time."""
    with suppress(OSError):
        for byte in b"\x30\x84\x00\x00\xff\xff" + bytes(100):
            wire.sendall(bytes([byte]))
            time.sleep(0.3)


def _hangs_up(wire: socket.socket) -> None:
    wire.recv(100)
    wire.close()


@pytest.fixture
def liar(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of something that is no directory, and answers as the parameter says."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", free_port())) as listening:

        def serve() -> None:
            while True:
                try:
                    wire, _ = listening.accept()
                except OSError:
                    return
                held.append(wire)
                threading.Thread(target=request.param, args=(wire,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    for wire in held:
        wire.close()


def _refuses_tls(wire: socket.socket) -> None:
    asked = wire.recv(100)
    message_id = asked[2 : 4 + asked[3]]  # ldap3 counts through all connections of a process
    answer = message_id + b"\x78\x07\x0a\x01\x34\x04\x00\x04\x00"  # 52: unavailable
    wire.sendall(b"\x30" + bytes([len(answer)]) + answer)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("liar", [_refuses_tls], indirect=True)
def test_directory_without_starttls_is_reported_as_such(settings: Settings, liar: str) -> None:
    asked = settings.model_copy(update={"ldap_url": (f"ldap://{liar}",)})
    with pytest.raises(ldap_connection.Away) as away, ldap_connection.connect(asked):
        pass
    assert away.value.why == "no-tls"


@pytest.mark.parametrize("liar", [_nothing, _half_a_word, _garbage, _trickles, _hangs_up], indirect=True)
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_hanging_or_lying_directory_keeps_sessions_and_reports(
    office: Office,
    engine: Engine,
    signed_in: Signed,
    liar: str,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ldap_connection, "_ANSWER_S", 1)
    monkeypatch.setattr(ldap_connection, "_ALL_S", 1.5)
    uid = a_uid()
    office.group(office.slapd.person(uid))
    mine = signed_in(uid)
    broken = office.settings.model_copy(update={"ldap_url": (f"{scheme}://{liar}",)})
    assert sync.take(engine, broken) in ("away", "no-tls")
    assert sessions(engine, mine) == 1
    with reading(engine) as session:
        found = state.find_trouble(session)
    assert found is not None and found.known == 1
    second = office.settings.model_copy(update={"ldap_url": (f"{scheme}://{liar}", office.slapd.url)})
    assert sync.take(engine, second) == "", "the next server is asked"
    with reading(engine) as session:
        assert state.find_trouble(session) is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"ldap_ca": None}, "certificate"),
        ({"ldap_bind_password": "not-it"}, "bind"),
        ({"ldap_bind_password_file": Path("/nonexistent")}, "password-file"),
        ({"ldap_base": f"ou=moved,{BASE}"}, "empty"),
        ({"ldap_filter": "(objectClass=device)", "ldap_base": f"ou=ad,{BASE}"}, "empty"),
        ({"ldap_filter": "(objectClass=person"}, "away"),
        ({"directory_roles": None}, "roles-file"),
    ],
)
def test_wrongly_configured_query_signs_nobody_out(
    office: Office, engine: Engine, signed_in: Signed, wrong: dict[str, Any], why: str
) -> None:
    uid = a_uid()
    office.group(office.slapd.person(uid))
    mine = signed_in(uid)
    assert sync.take(engine, office.settings.model_copy(update=wrong)) == why
    assert sessions(engine, mine) == 1


def test_mass_disappearance_is_not_believed_until_confirmed(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uids = [a_uid() for _ in range(4)]
    dns = [office.slapd.person(uid) for uid in uids]
    office.group(*dns)
    ids = [signed_in(uid) for uid in uids]
    for dn in dns[1:]:
        office.slapd.delete(dn)
    assert sync.take(engine, office.settings) == "many-gone"
    assert [sessions(engine, each) for each in ids] == [1, 1, 1, 1]
    with reading(engine) as session:
        assert str(state.find_trouble(session)).endswith("3 of 4 gone")
    assert sync.take(engine, office.settings, believe=True) == ""
    assert [sessions(engine, each) for each in ids] == [1, 0, 0, 0]


def test_missing_group_keeps_its_members_and_is_reported(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    leaver, stayer = a_uid(), a_uid()
    dn = office.slapd.person(leaver)
    group = office.group(office.slapd.person(stayer), dn)
    here, gone = signed_in(stayer), signed_in(leaver)
    office.slapd.delete(group)
    office.slapd.delete(dn)
    assert sync.take(engine, office.settings) == "groups-missing"
    assert (sessions(engine, here), sessions(engine, gone)) == (1, 0)


@pytest.mark.parametrize(
    ("known", "gone", "doubtful"),
    [
        (1, 1, False),
        (2, 1, False),
        (2, 2, True),
        (3, 2, False),
        (8, 3, True),
        (100, 20, False),
        (100, 30, True),
    ],
)
def test_large_share_of_leavers_is_doubtful(known: int, gone: int, doubtful: bool) -> None:
    assert sync.is_doubtful(known, gone) is doubtful


def test_last_administrator_keeps_the_account_without_sessions(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid)
    office.group(dn, role="administrator")
    mine = signed_in(uid)
    office.slapd.delete(dn)
    assert sync.take(engine, office.settings) == ""
    assert sessions(engine, mine) == 0 and person(engine, mine).disabled_at is None


def test_directory_person_can_be_changed_only_in_the_desk(
    office: Office, engine: Engine, signed_in: Signed
) -> None:
    uid = a_uid()
    office.group(office.slapd.person(uid))
    mine = signed_in(uid)
    for change in ({"role": Role.AUDITOR}, {"name": "نام دیگر"}):
        with writing(engine) as session, pytest.raises(Exception, match="from-directory"):
            user = staff.get(session, mine)
            staff.change(session, user, who="admin", settings=office.settings, **change)
    with writing(engine) as session, pytest.raises(Exception, match="from-directory"):
        accounts.set_password(session, mine, "a password of ours 137", given=True)
    with writing(engine) as session:
        user = staff.get(session, mine)
        staff.change(session, user, who="admin", settings=office.settings, desk_id=3)
    assert person(engine, mine).desk_id == 3


def test_odd_names_are_escaped_in_the_filter(office: Office, settings: Settings) -> None:
    uid = a_uid("odd")
    office.group(office.slapd.person(uid))
    for typed in ("*", f"{uid[:-1]}*", f"{uid})(uid=*", "\\2a", f"{uid}\0", "(|(uid=*))", ""):
        assert ldap.prove_person(office.settings, typed, PASSWORD, set()) is None
    assert ldap.prove_person(office.settings, uid, "", set()) is None
    assert ldap.prove_person(office.settings, f" {uid.upper()} ", PASSWORD, set()) is not None
    office.slapd.person("علي كريمي".replace(" ", "."))
    found = ldap.prove_person(office.settings, "علی.کریمی", PASSWORD, set())
    assert found is None or found.username == "علی.کریمی"


def test_empty_group_member_matches_no_invalid_dn(
    office: Office,
) -> None:
    group = ldap_connection.Found("cn=ops", {"member": [b"", b"no dn", b"cn=one,dc=city"]})
    people = [ldap.Member(dn, dn, "nobody", "x") for dn in ("no dn either", "CN=One, dc=city")]
    assert list(ldap._listed(group, people)) == ["CN=One, dc=city"]
