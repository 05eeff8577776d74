"""What the rules refuse. The code is stable: the API, the command line and the pages key on it."""


class Refused(Exception):
    """A rule says no; `code` names the rule, `detail` explains it to an engineer."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
