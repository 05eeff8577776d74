"""What the rules refuse. The code is stable: the API, the command line and the pages key on it."""

from db.models import BlockReason


class Refused(Exception):
    """A rule says no; `code` names the rule, `detail` explains it to an engineer.

    `field` names what is meant, where the code does not say it and only one thing of what was sent is.
    `after_s`: after so many seconds it may be asked again.
    """

    def __init__(
        self, code: str, detail: str, field: str | None = None, *, after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
        self.after_s = after_s


class Blocked(Refused):
    """This number may not register, for a `reason` (db.models.BlockReason) that its caller hears."""

    def __init__(self, reason: BlockReason) -> None:
        super().__init__("number-blocked", f"this number may not register: {reason}")
        self.reason = reason
