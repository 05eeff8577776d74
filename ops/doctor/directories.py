"""Directory of the office, and the city's sign-in."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import reading
from db.models import Role, User
from hotline.directory import ldap, roles, state
from hotline.directory.ldap_connection import Away
from hotline.directory.oidc_provider import connect
from hotline.directory.roles import RolesError
from ops.doctor.findings import Finding, Known, fail, report_ok, warn
from settings import Settings

_HERE = ("127.0.0.1", "::1", "localhost")


def check_directories(known: Known) -> Iterator[Finding]:
    """Check that the directory and the city's sign-in admit us, have the named groups, and were believed."""
    settings, name = known.settings, "directory"
    if settings.oidc_issuer:
        yield _provider(settings)
    if not (settings.ldap_url or settings.oidc_issuer):
        return
    for url in settings.ldap_url:
        one = settings.model_copy(update={"ldap_url": (url,)})
        try:
            grants = roles.read(settings.directory_roles)
            missing = ldap.find_states(one, (), {each.group for each in grants}).missing_groups
        except (Away, RolesError) as error:
            yield fail(name, f"{url}: {error}", "docs/operate/directory.md")
            continue
        for group in missing:
            yield warn(name, f"{url}: no group {group}", "the file of roles; make it, or take it out")
        if not missing:
            yield report_ok(name, f"{url} lets us in and has every group")
    if known.engine is None or known.why:
        return
    with reading(known.engine) as session:
        if found := state.find_trouble(session):
            yield warn(name, str(found), "hotline137 directory check; docs/operate/directory.md")
        if settings.ldap_url and not _rescuers(session):
            said = "no administrator has a password of their own: nobody gets in without it"
            yield warn(name, said, "hotline137 user add, one for the safe")


def _provider(settings: Settings) -> Finding:
    """Check the sign-in by its own document, with which every browser's sign-in and session check begins."""
    name, issuer = "city's sign-in", settings.oidc_issuer
    try:
        with connect(settings):
            pass
    except Away as away:
        return fail(name, f"{issuer}: {away}", "oidc.issuer; docs/operate/directory.md")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in _HERE:
        return warn(name, f"{issuer} is not encrypted: whoever is on the way can be anybody", "https://")
    return report_ok(name, f"{issuer} answers as itself")


def _rescuers(session: Session) -> bool:
    local = select(User.id).where(
        User.role == Role.ADMINISTRATOR, User.disabled_at.is_(None), ~User.from_directory
    )
    return session.scalar(local.limit(1)) is not None
