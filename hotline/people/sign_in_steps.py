"""Steps of a sign-in: password, the second factor's code, a new password, setting up a second factor.

A person whose password somebody else has set chooses a new one before all else. The second factor is set up
only after that, because it belongs with a secret of the person alone. An existing second factor is shown
first.
"""

from typing import Literal

from sqlalchemy.orm import Session

from db.models import SignIn
from hotline.errors import Refused
from hotline.people import accounts, second_factor, sign_ins
from settings import Settings

Step = Literal["code", "new-password", "set-up", "done"]


def step(sign_in: SignIn, settings: Settings) -> Step:
    """Return the next step of this session."""
    if sign_in.user.totp_salt is not None and not sign_in.second_factor:
        return "code"
    if sign_in.password_due:
        return "new-password"
    return "set-up" if second_factor.is_due(sign_in, settings) else "done"


def check(sign_in: SignIn, settings: Settings) -> None:
    """Raise Refused("second-factor-due" | "password-due") unless the session has done every step."""
    match step(sign_in, settings):
        case "code" | "set-up":
            raise Refused("second-factor-due", "show the second factor first, or set it up")
        case "new-password":
            raise Refused("password-due", "somebody else has set this password: choose a new one first")


def choose_password(session: Session, sign_in: SignIn, password: str, settings: Settings) -> None:
    """Set the password that the person chose; their other sessions end.

    Raises Refused("password-short" | "password-trivial").
    """
    accounts.set_password(session, sign_in.user_id, password, given=False, city=settings.of_city)
    sign_in.password_due = False
    sign_ins.end_sessions(session, sign_in.user_id, except_hash=sign_in.token_hash)
