"""Jobs that a city may never need, or not for hours: their libraries are imported when there is work."""

from sqlalchemy import Engine

from hotline import delivery
from settings import Settings

# ruff: noqa: PLC0415


def send(engine: Engine, settings: Settings) -> None:
    """Send the messages that wait."""
    if delivery.others_wait(engine):
        from clerk import sender

        sender.run(engine, settings)


def send_codes(engine: Engine, settings: Settings) -> None:
    """Send the codes for signing in, beside all that others wait for."""
    if delivery.codes_wait(engine):
        from clerk import sender

        sender.run_codes(engine, settings)


def ask_what_became(engine: Engine, settings: Settings) -> None:
    """Ask the providers of text messages."""
    if settings.sms_provider:
        from clerk import arrivals

        arrivals.ask_what_became(engine, settings)


def ask_credit(engine: Engine, settings: Settings) -> None:
    """Ask them what is left."""
    if settings.sms_provider:
        from clerk import arrivals

        arrivals.ask_credit(engine, settings)


def ask_directory(engine: Engine, settings: Settings) -> None:
    """Have those leave who left the office's directory, if there is one."""
    if settings.ldap_url:
        from hotline.directory import look

        look.take(engine, settings)


def ask_city(engine: Engine, settings: Settings) -> None:
    """The same of those who came by the city's sign-in."""
    if settings.oidc_issuer:
        from hotline.directory import oidc

        oidc.take(engine, settings)
