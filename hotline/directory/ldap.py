"""Queries of the office's directory: OpenLDAP and similar servers, and Active Directory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hotline.directory.ldap_connection import Away, Found, LdapConnection, connect, escape, normalize_dn
from hotline.directory.names import normalize
from settings import Settings

_IDS = ("objectGUID", "entryUUID", "nsUniqueId", "ipaUniqueID")
"""Attributes with an id that an entry keeps when it is renamed or moved, and that is never reused."""
_STATES = (
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "accountExpires",
    "nsAccountLock",
    "loginDisabled",
    "pwdAccountLockedTime",
)
_MEMBERS = ("member", "uniqueMember", "memberUid")
_DISABLED, _LOCKED = 0x2, 0x10
_EPOCH_OF_WINDOWS = datetime(1601, 1, 1, tzinfo=UTC)
_AT_ONCE = 40
_IS_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
_IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Matching rule of Active Directory that also finds members of nested groups."""


@dataclass(frozen=True)
class Member:
    """A person's entry: `barred` is empty, "disabled", "expired" or "locked"."""

    id: str
    dn: str
    username: str
    name: str
    barred: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Look:
    """The accounts found in the directory, and the groups that do not exist there."""

    members: Mapping[str, Member]
    missing_groups: Sequence[str] = field(default=())


def prove_person(
    settings: Settings, username: str, password: str, groups: Collection[str], *, known: str = ""
) -> Member | None:
    """Return the person with this name and password, or None. Raises Away.

    None also stands for a name that several entries have. With `known`, the password of that account is
    checked, whatever its present name.
    """
    wanted = normalize(username)
    if not wanted or not password:
        return None
    with connect(settings) as connection:
        if known:
            member = next(_by_ids(connection, settings, [known]), None)
        else:
            member = _named(connection, settings, wanted, username.strip())
        if member is None or member.barred in ("disabled", "expired"):
            return None
        (whole,), _missing = _with_groups(connection, settings, [member], groups)
        return whole if connection.proves(member.dn, password) else None


def find_states(settings: Settings, ids: Sequence[str], groups: Collection[str]) -> Look:
    """Return the present state of these accounts. Raises Away, also if the directory is suddenly empty."""
    with connect(settings) as connection:
        people = _search(connection, settings, "", limit=1)
        if not people:
            raise Away("empty", "nobody is found there at all")
        found = [member for some in _pieces(ids) for member in _by_ids(connection, settings, some)]
        members, missing = _with_groups(connection, settings, found, groups)
        return Look({member.id: member for member in members}, missing)


def _named(connection: LdapConnection, settings: Settings, wanted: str, typed: str) -> Member | None:
    """Return the only entry whose own name is `wanted`; the directory's comparison may match other names,
    too.
    """
    attribute = settings.ldap_user_attribute
    either = "".join(f"({attribute}={escape(name)})" for name in sorted({wanted, typed}))
    found = [_member(entry, settings) for entry in _search(connection, settings, f"(|{either})", limit=5)]
    members = [member for member in found if member and member.username == wanted]
    return members[0] if len(members) == 1 else None


def _by_ids(connection: LdapConnection, settings: Settings, ids: Sequence[str]) -> Iterator[Member]:
    for entry in _search(connection, settings, _any_of(ids)):
        if member := _member(entry, settings):
            yield member


def _any_of(ids: Iterable[str]) -> str:
    """Return a filter for these accounts; every byte of an id is escaped, so no id can change the filter."""
    parts = [each.partition(":") for each in ids]
    escaped = ((name, "".join(f"\\{byte:02x}" for byte in bytes.fromhex(value))) for name, _, value in parts)
    return f"(|{''.join(f'({name}={value})' for name, value in escaped)})"


def _search(connection: LdapConnection, settings: Settings, query: str, limit: int = 0) -> list[Found]:
    attributes = (settings.ldap_user_attribute, settings.ldap_name_attribute, "cn", *_IDS, *_STATES)
    found = connection.search(
        settings.ldap_base, f"(&{settings.ldap_filter}{query})", sorted(set(attributes)), limit=limit
    )
    if found is None:
        raise Away("empty", "there is no ldap.base")
    return found


def _member(entry: Found, settings: Settings) -> Member | None:
    """Return the person of an entry, or None if it has no id, no valid user name, or several names."""
    names = entry.texts(settings.ldap_user_attribute)
    username = normalize(names[0]) if len(names) == 1 else ""
    of = next((name for name in _IDS if entry.values.get(name.lower())), None)
    if not username or of is None:
        return None
    name = entry.text(settings.ldap_name_attribute) or entry.text("cn") or username
    return Member(
        id=f"{of}:{entry.values[of.lower()][0].hex()}",
        dn=entry.dn,
        username=username,
        name=" ".join("".join(each for each in name if each.isprintable() or each in "\u200c\u200d").split())[
            :100
        ]
        or username,
        barred=_barred(entry),
    )


def _barred(entry: Found) -> str:
    if _number(entry, "userAccountControl") & _DISABLED or any(
        entry.text(name).upper() == "TRUE" for name in ("nsAccountLock", "loginDisabled")
    ):
        return "disabled"
    ticks = _number(entry, "accountExpires")
    if 0 < ticks < 1 << 62 and _EPOCH_OF_WINDOWS + timedelta(microseconds=ticks // 10) < datetime.now(UTC):
        return "expired"
    computed = _number(entry, "msDS-User-Account-Control-Computed")
    return "locked" if computed & _LOCKED or entry.text("pwdAccountLockedTime") else ""


def _number(entry: Found, attribute: str) -> int:
    text = entry.text(attribute)
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else 0


def _with_groups(
    connection: LdapConnection, settings: Settings, members: Sequence[Member], groups: Collection[str]
) -> tuple[list[Member], list[str]]:
    """Return the people with their groups, and the groups that do not exist."""
    of: dict[str, set[str]] = {member.id: set() for member in members}
    nested, missing = _nests(connection), []
    for group in sorted(set(groups)):
        found = connection.search(group, "(objectClass=*)", _MEMBERS, only_base=True)
        if not found:
            missing.append(group)
            continue
        ids = _in_chain(connection, settings, members, group) if nested else _listed(found[0], members)
        for each in ids:
            of[each].add(group)
    return [_in(member, frozenset(of[member.id])) for member in members], missing


def _in(member: Member, groups: frozenset[str]) -> Member:
    return Member(member.id, member.dn, member.username, member.name, member.barred, groups)


def _nests(connection: LdapConnection) -> bool:
    root = connection.search("", "(objectClass=*)", ["supportedCapabilities"], only_base=True)
    return any(_IS_ACTIVE_DIRECTORY in entry.texts("supportedCapabilities") for entry in root or ())


def _in_chain(
    connection: LdapConnection, settings: Settings, members: Sequence[Member], group: str
) -> Iterator[str]:
    of = {member.id: member for member in members}
    inside = f"(memberOf:{_IN_CHAIN}:={escape(group)})"
    for some in _pieces(list(of)):
        for entry in _search(connection, settings, f"{_any_of(some)}{inside}"):
            member = _member(entry, settings)
            if member and member.id in of:
                yield member.id


def _listed(group: Found, members: Sequence[Member]) -> Iterator[str]:
    dns = {normalize_dn(dn) for name in ("member", "uniqueMember") for dn in group.texts(name)} - {""}
    uids = {normalize(uid) for uid in group.texts("memberUid")}
    for member in members:
        if normalize_dn(member.dn) in dns or member.username in uids:
            yield member.id


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]
