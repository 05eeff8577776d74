"""Who works here: second factor, sessions, the city's sign-in, the office's directory."""

import re
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.values import URL, OptionalPath, Roles, Words, is_safe

_LDAP_URL = re.compile(r"ldaps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|ldaps?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


class Staff(Part):
    """Who works here: second factor, sessions, the city's sign-in, the office's directory."""

    second_factor_roles: Roles = ("administrator",)
    """Whose sign-in takes an authenticator's code as well; anybody may have one. Empty: nobody must."""
    session_hours: int = Field(12, ge=1, le=168)
    """After so long everybody signs in anew."""
    session_idle_minutes: int = Field(120, ge=5, le=10_080)
    """A session that is not used for so long is over. An open page that asks for news uses it."""
    event_streams_per_person: int = Field(20, ge=1, le=100)
    """So many pages of one person hear what changes; one more, and the oldest hears it later."""
    event_streams: int = Field(500, ge=1, le=800)
    """So many pages, all together."""
    oidc_client_id: str = ""
    """Who we are at the city's own sign-in; empty: people sign in with a password of ours."""
    oidc_client_secret: str = ""
    """The password that belongs to it."""
    oidc_claim: str = Field("preferred_username", min_length=1)
    """What of the city's account is the person's user name here: something that nobody else ever gets."""
    oidc_issuer: str = Field("", pattern=URL)
    """The city's own sign-in (OpenID Connect), as it names itself: https://login.city.example/realms/staff.
    http:// is taken for one on this very machine only."""
    ldap_base: str = Field("", max_length=500)
    """Below which entry the office's people are found: ou=people,dc=city,dc=example."""
    ldap_bind_dn: str = Field("", max_length=500)
    """Who we are at the directory: an account that may read people and groups, and nothing else."""
    ldap_bind_password_file: OptionalPath = None
    """A file with the password that belongs to it, alone in it; read anew each time."""
    ldap_bind_password: str = ""
    """The password itself, where it is in no file of its own."""
    ldap_ca: OptionalPath = None
    """Certificates (PEM) by which the directory is known; the system's own if empty. Always checked."""
    ldap_start_tls: bool = True
    """Encrypt ldap:// by StartTLS. 0 is taken for a directory on this very machine only."""
    ldap_user_attribute: str = Field("uid", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """What of an entry is the person's user name: uid; sAMAccountName in Active Directory."""
    ldap_name_attribute: str = Field("displayName", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """What of it is the name that others see; cn where it has none."""
    ldap_filter: str = Field("(objectClass=person)", pattern=r"^\(.*\)$", max_length=1000)
    """Which entries are people who may sign in; whoever it does not find any more has left."""
    ldap_tries: int = Field(3, ge=1, le=20)
    """After so many wrong passwords for a name the directory is not asked for HOTLINE_LDAP_WAIT_MINUTES: less
    than half of those after which it locks the account itself."""
    ldap_wait_minutes: int = Field(30, ge=1, le=1440)
    """As long as the directory counts wrong passwords, or longer."""
    directory_roles: OptionalPath = None
    """The file (TOML) that says what the members of a group are here (docs/operate/directory.md); read anew
    each time."""
    ldap_url: Words = ()
    """The office's directory, LDAP or Active Directory: ldaps://dc1.city.example, or ldap:// with StartTLS;
    the next ones are asked when the first does not answer. Empty: none."""
    oidc_scopes: Words = ("openid", "profile")
    """What is asked for there; with offline_access where it gives a refresh token by nothing else."""
    oidc_groups_claim: str = "groups"
    """What of the city's account are its groups, where HOTLINE_DIRECTORY_ROLES says what they are here."""
    oidc_second_factor: Words = ()
    """Values of `acr` by which the city's sign-in says that it has asked for a second factor; `mfa` in `amr`
    always says so."""

    @field_validator("oidc_issuer")
    @classmethod
    def _oidc(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("oidc_client_id") and others.data.get("oidc_client_secret")):
            raise ValueError("needs HOTLINE_OIDC_CLIENT_ID and HOTLINE_OIDC_CLIENT_SECRET")
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
            raise ValueError(f"needs {' and '.join(f'HOTLINE_{name.upper()}' for name in lacking)}")
        for url in value:
            if not _LDAP_URL.fullmatch(url):
                raise ValueError("must be ldaps://host or ldap://host, with :port where it is another")
            here = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
            if url.startswith("ldap:") and not others.data.get("ldap_start_tls", True) and not here:
                raise ValueError("sends passwords in the open without HOTLINE_LDAP_START_TLS")
        return value
