"""The dialer's process: one connection to Asterisk, one loop."""

import threading

from db.engine import connect
from dialer.ami import Ami
from dialer.dialer import Dialer
from dialplan.accounts import AMI_USER
from settings import Settings


def serve(settings: Settings) -> None:
    """Work until the process is told to stop."""
    ami = Ami(settings.ami, AMI_USER, settings.secret_for(AMI_USER))
    dialer = Dialer(settings, connect(settings.database), ami)
    threading.Thread(target=ami.run, daemon=True).start()
    try:
        while True:
            dialer.step()
    finally:
        ami.stop()
