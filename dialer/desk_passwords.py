"""Tells this node's Asterisk with which password each desk's phones may register."""

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
"""Asterisk has refused one, which it does only when something is wrong with it."""
_AT_ONCE = 8
"""Passwords told in one turn, in some 35 ms. «next» waits for no more of them after a restart."""
_TIMEOUT_MS = 2000


class DeskPasswords:
    """One of the dialer's tasks.

    Asterisk keeps what it is told in a database of its own (sorcery.conf), also while it is down. A new
    password is in force at once, without a reload. While nothing can be told, the last ones stay in force.
    """

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._told: dict[str, str | None] = {}
        self._is_able: bool | None = None
        """Whether this Asterisk can be told passwords; None: it has not been asked yet."""
        self._has_news = True
        self._next_look = self._next_look_at_news = 0.0

    def forget(self) -> None:
        """Tell everything again: Asterisk may be another one."""
        self._told, self._is_able, self._has_news = {}, None, True

    def tell(self, *, news: bool = False) -> None:
        """Tell what has changed, if there is news or it is time to look. Raises AmiError."""
        self._has_news |= news
        at = time.monotonic()
        if at < (self._next_look_at_news if self._has_news else self._next_look):
            return
        self._next_look, self._next_look_at_news = at + _LOOK_S, at + _LOOK_AT_NEWS_S
        if self._is_able is None:
            self._ask_able()
        if not self._is_able or self._ami.may_place_for() <= 0:  # no lease: no channel is begun
            return
        with reading(self._engine) as session:
            found = desk_admission.list_passwords(session, self._settings)
        by_account = {accounts.desk(desk, sip=sip): password for (desk, sip), password in found.items()}
        new = [account for account, password in by_account.items() if self._told.get(account, "") != password]
        new.sort(key=lambda account: by_account[account] is None)  # first: somebody waits for it
        self._has_news = len(new) > _AT_ONCE
        try:
            for account in new[:_AT_ONCE]:
                self._set(account, by_account[account] or secrets.token_hex(16))
                self._told[account] = by_account[account]
        except NotAccepted as refused:
            log.warning("Asterisk takes no password of a desk's phone: %s", refused)
            self._next_look = self._next_look_at_news = at + _RETRY_S

    def _ask_able(self) -> None:
        """Ask whether this Asterisk has loaded what passwords are kept with. Raises AmiError."""
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
        """Have the dialplan write it down. Asterisk answers once it has. Raises AmiError."""
        self._ami.request(
            "Originate",
            Channel=f"Local/{account}@{Context.DESK_PASSWORD}/n",
            Application="NoOp",
            Timeout=_TIMEOUT_MS,
            Variable=f"{Variable.PASSWORD}={password}",
        )
