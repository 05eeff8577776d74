"""A city whose staff are in a directory: its settings, its file of roles."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.kit.slapd import BASE, READER, READERS_PASSWORD, Slapd

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def slapd() -> Iterator[Slapd]:
    """A directory of this test process; each test adds people of its own."""
    with Slapd() as started:
        yield started


def a_uid(name: str = "staff") -> str:
    """A user name that no other test has."""
    return f"{name}{next(_serial)}"


class Office:
    """The directory with one group for each role that a test gives it, and the settings that name them."""

    def __init__(self, slapd: Slapd, settings: Settings, folder: Path) -> None:
        self.slapd = slapd
        self._roles = folder / "roles.toml"
        self._roles.write_text("")
        self.settings = settings.model_copy(
            update={
                "ldap_url": (slapd.tls_url,),
                "ldap_ca": slapd.ca,
                "ldap_base": BASE,
                "ldap_bind_dn": READER,
                "ldap_bind_password": READERS_PASSWORD,
                "directory_roles": self._roles,
            }
        )

    def group(self, *members: str, role: str = "operator", **more: object) -> str:
        """One more group, whose members are this here."""
        dn = self.slapd.group(a_uid("group"), *members)
        self.role_of(dn, role, **more)
        return dn

    def role_of(self, group: str, role: str, **more: object) -> None:
        values = {"group": group, "role": role} | more
        lines = [
            f"{key} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}"
            for key, value in values.items()
        ]
        self._roles.write_text("\n".join([self._roles.read_text(), "[[role]]", *lines, ""]))


@pytest.fixture
def office(slapd: Slapd, settings: Settings, tmp_path: Path) -> Office:
    """It, with no group yet."""
    return Office(slapd, settings, tmp_path)
