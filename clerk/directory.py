"""Whether the people who came from the office's directory are still there, three times a minute."""

from sqlalchemy import Engine

from hotline.directory import look, oidc
from settings import Settings


def ask(engine: Engine, settings: Settings) -> None:
    """Have those leave who left the directory, if there is one."""
    if settings.ldap_url:
        look.take(engine, settings)


def ask_city(engine: Engine, settings: Settings) -> None:
    """The same of those who came by the city's sign-in."""
    if settings.oidc_issuer:
        oidc.take(engine, settings)
