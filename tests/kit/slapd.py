"""Debian's slapd as an office's directory: its own folder, a free port, a certificate, gone afterwards.

Its people are entries of OpenLDAP (ou=people), or with the attributes of Active Directory (ou=ad). Passwords
are PASSWORD; after six wrong ones it locks an account itself, as offices have it.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.kit.ports import free_port
from tests.kit.postgres import stands_still
from tests.kit.process import Program, folder_in_memory, need

BASE = "dc=city,dc=example"
PEOPLE, AD, GROUPS = f"ou=people,{BASE}", f"ou=ad,{BASE}", f"ou=groups,{BASE}"
READER, READERS_PASSWORD = f"cn=reader,{BASE}", "reads-and-nothing-else"
PASSWORD = "directory-password-137"
LOCKS_AFTER = 8
_ADMIN, _ADMINS_PASSWORD = f"cn=admin,{BASE}", "keeps-the-directory"
_SCHEMAS = ("core", "cosine", "inetorgperson")
_CONFIG = """\
{includes}
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.1460 NAME 'msDS-User-Account-Control-Computed' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.1 NAME 'windowsAccount' SUP top AUXILIARY
  MAY ( sAMAccountName $ objectGUID $ userAccountControl $ accountExpires $
  msDS-User-Account-Control-Computed ) )
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/ca.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
maxsize 16777216
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by anonymous auth by * none
overlay ppolicy
ppolicy_default "cn=policy,{base}"
"""


class Slapd:
    """A directory; `down`, `frozen` and the rest break it."""

    def __init__(self) -> None:
        self.folder = folder_in_memory("slapd-", needs=256 << 20)
        self.port, self.tls_port = free_port(), free_port()
        self._starter = ThreadPoolExecutor(1)  # the kernel ends it with the thread that started it

    @property
    def ca(self) -> Path:
        """Return the file that verifies its certificate."""
        return self.folder / "ca.pem"

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def person(self, uid: str, **values: Any) -> str:
        """Add a person as OpenLDAP has them; the DN."""
        dn = f"uid={ldap3.utils.dn.escape_rdn(uid)},{PEOPLE}"
        given = {"uid": uid, "cn": uid, "sn": uid, "displayName": f"کارمند {uid}", "userPassword": PASSWORD}
        self.add(dn, ["inetOrgPerson"], given | values)
        return dn

    def windows_person(self, account: str, guid: bytes, **values: Any) -> str:
        """Add a person with the attributes that Active Directory has; the DN."""
        dn = f"cn={account},{AD}"
        given = {"cn": account, "sn": account, "sAMAccountName": account, "userPassword": PASSWORD}
        control = {"objectGUID": guid, "userAccountControl": 512, "accountExpires": 0}
        self.add(dn, ["inetOrgPerson", "windowsAccount"], given | control | values)
        return dn

    def group(self, name: str, *members: str) -> str:
        """Add a group; the DN."""
        dn = f"cn={name},{GROUPS}"
        self.add(dn, ["groupOfNames"], {"cn": name, "member": [f"cn=nobody,{BASE}", *members]})
        return dn

    def join(self, group: str, dn: str) -> None:
        self.modify(group, member=[(ldap3.MODIFY_ADD, [dn])])

    def quit(self, group: str, dn: str) -> None:
        self.modify(group, member=[(ldap3.MODIFY_DELETE, [dn])])

    def set(self, dn: str, **values: Any) -> None:
        """Replace attributes of an entry; `_` in a name stands for `-`."""
        replaced = {
            name.replace("_", "-"): [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()
        }
        self.modify(dn, **replaced)

    def add(self, dn: str, classes: list[str], values: dict[str, Any]) -> None:
        with self._admin() as admin:
            assert admin.add(dn, classes, values), admin.result

    def modify(self, dn: str, **changes: Any) -> None:
        with self._admin() as admin:
            assert admin.modify(dn, changes), admin.result

    def delete(self, dn: str) -> None:
        with self._admin() as admin:
            assert admin.delete(dn), admin.result

    def move(self, dn: str, name: str) -> None:
        with self._admin() as admin:
            assert admin.modify_dn(dn, name), admin.result

    def binds(self, dn: str, password: str = PASSWORD) -> bool:
        """Whether the directory itself takes this password now."""
        with self._plain(dn, password) as connection:
            return bool(connection.bind())

    def start(self) -> None:
        """Start it (again) and wait until it answers."""
        command: list[str | Path] = [self.folder / "slapd", "-f", self.folder / "slapd.conf", "-d", "0"]
        command += ["-h", f"{self.url}/ {self.tls_url}/"]
        log = self.folder / "log"
        self._program = self._starter.submit(Program, command, folder=self.folder, log=log).result()
        self._program.ready(self._answers)

    def stop(self) -> None:
        """It is away: connections are refused."""
        self._program.stop()

    def frozen(self) -> AbstractContextManager[None]:
        """Within it connections are taken by the kernel, and nobody answers."""
        return stands_still(self._program.pid)

    def __enter__(self) -> Self:
        shutil.copy(need("slapd", "slapd"), self.folder / "slapd")  # where no profile of AppArmor's binds it
        (self.folder / "data").mkdir()
        _certificate(self.folder)
        includes = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in _SCHEMAS)
        config = _CONFIG.format(
            includes=includes,
            modules="/usr/lib/ldap",
            folder=self.folder,
            base=BASE,
            admin=_ADMIN,
            password=_ADMINS_PASSWORD,
            reader=READER,
        )
        (self.folder / "slapd.conf").write_text(config)
        self.start()
        self.add(BASE, ["dcObject", "organization"], {"dc": "city", "o": "City"})
        for name in ("people", "ad", "groups"):
            self.add(f"ou={name},{BASE}", ["organizationalUnit"], {"ou": name})
        reader = {"cn": "reader", "userPassword": READERS_PASSWORD}
        self.add(READER, ["organizationalRole", "simpleSecurityObject"], reader)
        policy = {"pwdAttribute": "userPassword", "pwdLockout": "TRUE", "pwdMaxFailure": LOCKS_AFTER}
        self.add(f"cn=policy,{BASE}", ["device", "pwdPolicy"], {"cn": "policy"} | policy)
        self.person("who.stays")
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop()
        self._starter.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with self._plain() as connection:
                return bool(connection.bind())
        except ldap3.core.exceptions.LDAPException:
            return False

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        with self._plain(_ADMIN, _ADMINS_PASSWORD) as connection:
            assert connection.bind(), connection.result
            yield connection

    @contextmanager
    def _plain(self, dn: str | None = None, password: str | None = None) -> Iterator[Any]:
        server = ldap3.Server(self.url, get_info=ldap3.NONE, connect_timeout=5)
        connection = ldap3.Connection(server, dn, password, receive_timeout=10, check_names=False)
        try:
            yield connection
        finally:
            connection.unbind()


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "directory")])
    at = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
