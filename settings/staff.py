"""Staff: second factor, sessions, the city's sign-in, the office's directory."""

import re
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.toml_files import place
from settings.values import URL, OptionalPath, Roles, Words, is_safe

_LDAP_URL = re.compile(r"ldaps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|ldaps?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


class Staff(Part):
    """Staff: second factor, sessions."""

    second_factor_roles: Roles = ("administrator",)
    """Roles that must sign in with an authenticator's code as well; anybody may use one. Empty: no role must.
    """
    session_hours: int = Field(12, ge=1, le=168)
    """Hours after which everybody signs in again."""
    session_idle_minutes: int = Field(120, ge=5, le=10_080)
    """Minutes after which an unused session ends. An open page that asks for news keeps its session in use.
    """
    directory: OptionalPath = None
    """The TOML file of the city's sign-in and the office's directory (docs/operate/directory.md). Empty:
    `city/directory.toml` in the state folder, if it is there."""


class Directory(Part):
    """The city's sign-in and the office's directory."""

    oidc_client_id: str = ""
    """Our client id at the city's sign-in. Empty: people sign in with a password of Hotline 137."""
    oidc_client_secret: str = ""
    """Our client secret at the city's sign-in."""
    oidc_claim: str = Field("preferred_username", min_length=1)
    """The claim that is the person's user name here; the city must never give its value to somebody else."""
    oidc_issuer: str = Field("", pattern=URL)
    """The issuer of the city's sign-in (OpenID Connect): https://login.city.example/realms/staff. http:// is
    allowed only for this very machine."""
    ldap_base: str = Field("", max_length=500)
    """The entry below which the office's people are found: ou=people,dc=city,dc=example."""
    ldap_bind_dn: str = Field("", max_length=500)
    """Our account at the directory; it should read people and groups, and nothing else."""
    ldap_bind_password_file: OptionalPath = None
    """A file with nothing but the password of `bind_dn`; read again each time."""
    ldap_bind_password: str = ""
    """The password of `bind_dn`, if it is in no file."""
    ldap_ca: OptionalPath = None
    """Certificates (PEM) of the directory's authority; always checked. Empty: the system's own."""
    ldap_start_tls: bool = True
    """Encrypt ldap:// by StartTLS. `false` is allowed only for a directory on this very machine."""
    ldap_user_attribute: str = Field("uid", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """The attribute that is the person's user name: uid; sAMAccountName in Active Directory."""
    ldap_name_attribute: str = Field("displayName", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """The attribute that is the name others see; cn if an entry lacks it."""
    ldap_filter: str = Field("(objectClass=person)", pattern=r"^\(.*\)$", max_length=1000)
    """The filter for people who may sign in. A person whom it no longer finds has left."""
    ldap_tries: int = Field(3, ge=1, le=20)
    """Wrong passwords for a name until the directory is not asked for `wait_minutes`. Set it below
    half of the directory's own limit for locking the account."""
    ldap_wait_minutes: int = Field(30, ge=1, le=1440)
    """How long the directory is not asked; at least as long as the directory counts wrong passwords."""
    directory_roles: OptionalPath = None
    """The TOML file that maps the directory's groups to roles (docs/operate/directory.md); read again each
    time."""
    ldap_url: Words = ()
    """Servers of the office's directory, LDAP or Active Directory: ldaps://dc1.city.example, or ldap:// with
    StartTLS. The next one is asked if the first does not answer. Empty: none."""
    oidc_scopes: Words = ("openid", "profile")
    """Scopes asked of the city's sign-in; add offline_access if the issuer needs it to give a refresh token.
    """
    oidc_groups_claim: str = "groups"
    """The claim with a person's groups, which `roles` maps to roles."""
    oidc_second_factor: Words = ()
    """Values of `acr` by which the city's sign-in confirms a second factor. `mfa` in `amr` always confirms
    one."""

    @field_validator("oidc_issuer")
    @classmethod
    def _oidc(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("oidc_client_id") and others.data.get("oidc_client_secret")):
            raise ValueError(f"needs {place('oidc_client_id')} and {place('oidc_client_secret')}")
        if value and not others.data.get("public_url"):
            raise ValueError("needs HOTLINE_PUBLIC_URL, to which it sends people back")
        if value and not is_safe(value):
            raise ValueError("begins with https://: by http:// anybody on the way signs in as anybody")
        return value

    @field_validator("ldap_url")
    @classmethod
    def _ldap(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        lacking = [name for name in ("ldap_base", "directory_roles") if not others.data.get(name)]
        if value and lacking:
            raise ValueError(f"needs {' and '.join(map(place, lacking))}")
        for url in value:
            if not _LDAP_URL.fullmatch(url):
                raise ValueError("must be ldaps://host or ldap://host, with :port where it is another")
            here = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
            if url.startswith("ldap:") and not others.data.get("ldap_start_tls", True) and not here:
                raise ValueError(f"sends passwords in the open without {place('ldap_start_tls')}")
        return value
