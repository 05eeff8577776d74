"""Script of a desk's phone that dials into its room: it admits only the phone that belongs there now."""

import logging

from sqlalchemy import Engine

from db.engine import writing
from dialplan import accounts
from dialplan.variables import Variable
from hotline.people import desk_admission
from ivr.call import AGIError, Call
from settings import Settings

log = logging.getLogger("ivr")


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Tell the dialplan `yes` or `no`. Without a database it gets no answer, and asks again."""
    channel = call.env.get("agi_channel", "")
    desk = accounts.find_channel_desk(channel)
    if desk is None:
        raise AGIError("no desk's phone")
    with writing(engine) as session:
        sip = accounts.is_sip_phone(channel)
        admitted = desk_admission.admit(session, desk, call.argument, settings, sip=sip)
    if not admitted:
        log.info("desk %d: this phone is not to be in its room", desk)
    call.set(Variable.CONFIRMED, "yes" if admitted else "no")
