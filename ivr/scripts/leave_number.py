"""Script of a caller who found all lines full and pressed 1: it only stores the number.

The dialplan plays the result: one request and one commit, whatever the outcome.
"""

from sqlalchemy import Engine

from db.engine import writing
from dialplan.variables import Variable
from hotline import numbers
from hotline.errors import Refused
from hotline.outbound import overflow
from ivr.call import Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Store the number. The result is set after the commit, so that no caller hears an untrue promise."""
    try:
        number = numbers.parse(call.caller_id, settings.allowed_prefixes)
        with call.working(), writing(engine) as session:
            overflow.keep(session, number, settings)
    except Refused:
        call.set(Variable.LEFT, "not")
    else:
        call.set(Variable.LEFT, "kept")
