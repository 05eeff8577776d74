"""Settings in the city's TOML files, by key, with the names that they had in the environment."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILES = ("city", "messages", "directory")
"""The files of these keys, each named by a setting of its name: HOTLINE_MESSAGES names messages.toml."""
OLD_NAMES: dict[str, tuple[str, str]] = {
    "request_alike_days": ("", "14"),
    "near_metres": ("", "100"),
    "event_streams_per_person": ("", "20"),
    "event_streams": ("", "500"),
    "city_accent": ("city", "look.accent"),
    "city_emblem": ("city", "look.emblem"),
    "city_bounds": ("city", "city.bounds"),
    "districts_file": ("city", "map.districts"),
    "map_tiles": ("city", "map.tiles"),
    "map_attribution": ("city", "map.attribution"),
    "working_days": ("city", "office_hours.days"),
    "working_hours": ("city", "office_hours.hours"),
    "timetable_days": ("city", "timetable.days_ahead"),
    "figures_least": ("city", "public.figures_least"),
    "data_licence": ("city", "public.licence"),
    "data_licence_url": ("city", "public.licence_url"),
    "android_app": ("city", "public.android_app"),
    "jurisdiction": ("city", "public.jurisdiction"),
    "request_answer_days": ("city", "requests.answer_days"),
    "pass_days": ("city", "requests.pass_days"),
    "reports_per_day": ("city", "requests.reports_per_day"),
    "recordings_days": ("city", "retention.recordings_days"),
    "voice_messages_days": ("city", "retention.voice_messages_days"),
    "pictures_days": ("city", "retention.pictures_days"),
    "requests_days": ("city", "retention.requests_days"),
    "messages_days": ("city", "retention.messages_days"),
    "events_days": ("city", "retention.events_days"),
    "trunk_host": ("trunks", "trunk.host"),
    "trunk_user": ("trunks", "trunk.user"),
    "trunk_secret": ("trunks", "trunk.secret"),
    "trunk_allowed": ("trunks", "trunk.allowed"),
    "trunk_codecs": ("trunks", "trunk.codecs"),
    "trunk_national": ("trunks", "trunk.numbers"),
    "trunk_asked_seconds": ("trunks", "trunk.qualify_seconds"),
    "trunk_channels": ("trunks", "trunk.channels"),
    "sms_provider": ("messages", "sms.provider"),
    "sms_next": ("messages", "sms.next"),
    "sms_sender": ("messages", "sms.sender"),
    "sms_templates": ("messages", "sms.templates"),
    "sms_plain": ("messages", "sms.plain"),
    "sms_least_credit": ("messages", "sms.least_credit"),
    "sms_inbound_secret": ("messages", "sms.inbound_secret"),
    "sms_kavenegar_url": ("messages", "kavenegar.url"),
    "sms_kavenegar_key": ("messages", "kavenegar.key"),
    "sms_smsir_url": ("messages", "smsir.url"),
    "sms_smsir_key": ("messages", "smsir.key"),
    "sms_smsir_line": ("messages", "smsir.line"),
    "sms_melipayamak_url": ("messages", "melipayamak.url"),
    "sms_melipayamak_user": ("messages", "melipayamak.user"),
    "sms_melipayamak_password": ("messages", "melipayamak.password"),
    "sms_melipayamak_line": ("messages", "melipayamak.line"),
    "sms_ghasedak_url": ("messages", "ghasedak.url"),
    "sms_ghasedak_key": ("messages", "ghasedak.key"),
    "sms_ghasedak_line": ("messages", "ghasedak.line"),
    "sms_ippanel_url": ("messages", "ippanel.url"),
    "sms_ippanel_key": ("messages", "ippanel.key"),
    "sms_ippanel_line": ("messages", "ippanel.line"),
    "sms_http_url": ("messages", "http.url"),
    "sms_http_headers": ("messages", "http.headers"),
    "sms_http_body": ("messages", "http.body"),
    "bale_url": ("messages", "bale.url"),
    "bale_bot": ("messages", "bale.bot"),
    "bale_key": ("messages", "bale.key"),
    "push_services": ("messages", "push.services"),
    "push_contact": ("messages", "push.contact"),
    "push_key": ("messages", "push.key"),
    "codes_per_hour": ("messages", "codes.per_hour"),
    "codes_per_day": ("messages", "codes.per_day"),
    "notice_webhook": ("messages", "notice_webhook.url"),
    "notice_webhook_secret": ("messages", "notice_webhook.secret"),
    "request_webhook": ("messages", "request_webhook.url"),
    "request_webhook_secret": ("messages", "request_webhook.secret"),
    "ldap_url": ("directory", "ldap.url"),
    "ldap_base": ("directory", "ldap.base"),
    "ldap_bind_dn": ("directory", "ldap.bind_dn"),
    "ldap_bind_password": ("directory", "ldap.bind_password"),
    "ldap_bind_password_file": ("directory", "ldap.bind_password_file"),
    "ldap_ca": ("directory", "ldap.ca"),
    "ldap_start_tls": ("directory", "ldap.start_tls"),
    "ldap_user_attribute": ("directory", "ldap.user_attribute"),
    "ldap_name_attribute": ("directory", "ldap.name_attribute"),
    "ldap_filter": ("directory", "ldap.filter"),
    "ldap_tries": ("directory", "ldap.tries"),
    "ldap_wait_minutes": ("directory", "ldap.wait_minutes"),
    "directory_roles": ("directory", "roles"),
    "oidc_issuer": ("directory", "oidc.issuer"),
    "oidc_client_id": ("directory", "oidc.client_id"),
    "oidc_client_secret": ("directory", "oidc.client_secret"),
    "oidc_claim": ("directory", "oidc.claim"),
    "oidc_scopes": ("directory", "oidc.scopes"),
    "oidc_groups_claim": ("directory", "oidc.groups_claim"),
    "oidc_second_factor": ("directory", "oidc.second_factor"),
}
"""File and key of each setting by its old name; without a file: the constant that it is now.

An old name is still read in this version, and its value overrides the file's.
"""
_FILES_PATHS = {
    "districts_file",
    "map_tiles",
    "sms_templates",
    "directory_roles",
    "ldap_ca",
    "ldap_bind_password_file",
}
"""Settings that name a file; a relative path begins at the folder of the TOML file."""
SECRETS = {
    "trunk_secret",
    "turn_secret",
    "database_url",
    "metrics_token",
    "notice_webhook",
    "notice_webhook_secret",
    "request_webhook",
    "request_webhook_secret",
    "sms_inbound_secret",
    "sms_kavenegar_key",
    "sms_smsir_key",
    "sms_melipayamak_password",
    "sms_ghasedak_key",
    "sms_ippanel_key",
    "sms_http_headers",
    "bale_key",
    "push_key",
    "oidc_client_secret",
    "ldap_bind_password",
    "pictures_store_key",
    "pictures_store_secret",
}
"""Settings with a secret value, which no message of ours shows.

In a TOML file the secret may stand in a file of its own: `key_file = "kavenegar.key"` for `key`.
"""


def place(name: str) -> str:
    """Return what a city writes for this setting: a name in the environment, or a key and its file."""
    file, key = OLD_NAMES.get(name, ("", ""))
    return f"{key} in {file}.toml" if file else f"HOTLINE_{name.upper()}"


def explain_old(name: str) -> str:
    """Return what to do with an old name."""
    file, key = OLD_NAMES[name]
    if not file:
        return f"HOTLINE_{name.upper()}: not looked at, it is always {key} now; take it out"
    page = ", docs/operate/trunk.md" if file == "trunks" else ""
    return (
        f"HOTLINE_{name.upper()}: an old name, for this version only; "
        f"write {key} into {file}.toml (HOTLINE_{file.upper()}{page}) and take it out"
    )


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises ValueError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows writes a byte order mark
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is no text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"is no TOML: {error}") from None


def read_values(file: str, tables: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the settings of a TOML file by name. Raises ValueError, which names every wrong key."""
    names = {key: name for name, (of, key) in OLD_NAMES.items() if of == file}
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for key, given in _leaves(tables, names):
        try:
            name, value = _setting(key, given, names, folder)
            if name in found:
                raise ValueError("is given twice, by itself and by a file")
            found[name] = value
        except ValueError as error:
            wrong.append(f"{key}: {error}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return found


def _leaves(table: Mapping[str, Any], names: Mapping[str, str], above: str = "") -> Iterator[tuple[str, Any]]:
    for word, value in table.items():
        key = above + word
        if isinstance(value, dict) and key not in names:
            yield from _leaves(value, names, f"{key}.")
        else:
            yield key, value


def _setting(key: str, value: Any, names: Mapping[str, str], folder: Path) -> tuple[str, Any]:
    name = names.get(key, "")
    of_secret = names.get(key.removesuffix("_file"), "")
    if not name and of_secret in SECRETS:
        return of_secret, _secret(folder / str(value))
    if not name:
        near = difflib.get_close_matches(key, names, 1)
        beside = [other for other in names if other.rpartition(".")[0] == key.rpartition(".")[0]]
        meant = f"; is {near[0]} meant?" if near else "."
        raise ValueError(f"no such key{meant} Allowed: {', '.join(beside or names)}")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise ValueError("must be a text, a number, true or false, or some of them")
    if name in _FILES_PATHS and isinstance(value, str) and value and "://" not in value:
        return name, str(folder / value)
    return name, value


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {type(error).__name__}") from None
