"""Passwords of the desks' phones, which the dialer sends to its node's Asterisk."""

import logging
import secrets
import time

from sqlalchemy import Engine

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialplan import accounts
from dialplan.variables import DESK_PASSWORDS, Context, Variable
from hotline.nodes import phones
from hotline.people import desk_admission
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_LOOK_AT_NEWS_S = 0.1
_RETRY_S = 10.0
"""Pause after a refusal: Asterisk refuses a password only if something is wrong with Asterisk."""
_AT_ONCE = 8
"""Passwords sent in one turn, in some 35 ms, so that «next» waits for no more after a restart."""
_TIMEOUT_MS = 2000


class DeskPasswords:
    """Task of the dialer.

    Asterisk stores the passwords in its own database (sorcery.conf), across its restarts. A new password is
    valid at once, without a reload. While Asterisk cannot be reached, the last ones stay valid.
    """

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._told: dict[str, str | None] = {}
        self._is_able: bool | None = None
        """This Asterisk can take passwords; None before it was asked."""
        self._has_news = True
        self._next_look = self._next_look_at_news = 0.0

    def forget(self) -> None:
        """Send all passwords again: Asterisk may be another one."""
        self._told, self._is_able, self._has_news = {}, None, True

    def tell(self, *, news: bool = False) -> None:
        """Send changed passwords if there is news or a poll is due. Raises AmiError."""
        self._has_news |= news
        at = time.monotonic()
        if at < (self._next_look_at_news if self._has_news else self._next_look):
            return
        self._next_look, self._next_look_at_news = at + _LOOK_S, at + _LOOK_AT_NEWS_S
        if self._is_able is None:
            self._ask_able()
        if not self._is_able or self._ami.may_place_for() <= 0:  # without a lease no channel may be created
            return
        with reading(self._engine) as session:
            found = desk_admission.list_passwords(session, self._settings)
        by_account = {
            accounts.get_desk_account(desk, sip=sip): password for (desk, sip), password in found.items()
        }
        new = [account for account, password in by_account.items() if self._told.get(account, "") != password]
        new.sort(key=lambda account: by_account[account] is None)  # new passwords first
        self._has_news = len(new) > _AT_ONCE
        try:
            for account in new[:_AT_ONCE]:
                self._set(account, by_account[account] or secrets.token_hex(16))
                self._told[account] = by_account[account]
        except NotAccepted as refused:
            log.warning("Asterisk takes no password of a desk's phone: %s", refused)
            self._next_look = self._next_look_at_news = at + _RETRY_S

    def _ask_able(self) -> None:
        """Ask whether this Asterisk has loaded the storage of passwords. Raises AmiError."""
        is_able = self._ami.value(f"DB_EXISTS({DESK_PASSWORDS}/auth)") != ""
        if not is_able:
            log.warning(
                "desks' phones keep the passwords of the version before until Asterisk, which an upgrade left"
                " running, is restarted"
            )
        with writing(self._engine) as session:
            phones.record_desk_passwords(session, self._settings.node, has=is_able)
        self._is_able = is_able

    def _set(self, account: str, password: str) -> None:
        """Let the dialplan store the password. Asterisk answers when it is stored. Raises AmiError."""
        self._ami.request(
            "Originate",
            Channel=f"Local/{account}@{Context.DESK_PASSWORD}/n",
            Application="NoOp",
            Timeout=_TIMEOUT_MS,
            Variable=f"{Variable.PASSWORD}={password}",
        )
