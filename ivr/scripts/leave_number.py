"""A caller who found all lines full pressed 1: their number is kept, and that is all, for the rush is on.

What they hear of it the dialplan says, by the answer: one request and one commit, whatever comes of it.
"""

from sqlalchemy import Engine

from db.engine import writing
from dialplan.variables import Variable
from hotline import numbers
from hotline.errors import Refused
from hotline.line import left_numbers
from ivr.call import Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """The answer is set after the commit: nothing is said to be kept that is not."""
    try:
        number = numbers.parse(call.caller_id, settings.allowed_prefixes)
        with call.working(), writing(engine) as session:
            left_numbers.keep(session, number, settings)
    except Refused:
        call.set(Variable.LEFT, "not")
    else:
        call.set(Variable.LEFT, "kept")
