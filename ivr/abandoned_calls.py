"""Callers who hung up after their script had broken off: their answers are not lost.

The dialplan writes a file for each (`settings.hung_up_dir`): number|language|subject, in one line.
"""

import logging
import threading
import time
from contextlib import suppress
from io import BytesIO

from sqlalchemy import Engine

from db.engine import is_away
from hotline import heartbeats
from hotline.recordings import disk
from ivr.call import Call
from ivr.caller_cache import CallerCache
from ivr.conversation import Conversation
from ivr.scripts import resume
from settings import Settings
from settings.asterisk_files import open_plain

log = logging.getLogger("ivr")

_WRITTEN_S = 60
_LONGEST = 4096
"""Limit of bytes, more than any line has."""


def keep_taking_up(settings: Settings, engine: Engine, cache: CallerCache, stop: threading.Event) -> None:
    """Store these answers repeatedly until `stop`.

    After an hour without a database there are hundreds, so no heartbeat may wait for them.
    """
    while not stop.wait(heartbeats.BEAT_SECONDS):
        try:
            take_up(settings, engine, cache)
        except Exception as error:
            log.warning("nothing is kept of who hung up: %s", type(error).__name__)


def take_up(settings: Settings, engine: Engine, cache: CallerCache) -> None:
    """Store these answers. A file that the database does not take stays for the next time."""
    with suppress(FileNotFoundError):  # this node has no Asterisk
        for path, status in disk.list_files(settings.hung_up_dir):
            try:
                with open_plain(path) as file:
                    line = file.read(_LONGEST)
            except OSError as error:  # not readable: store the others all the same
                log.warning("%s: cannot be read: %s", path.name, error.strerror)
                continue
            if _is_being_written(line, status.st_mtime):
                continue
            try:
                _take_up(path.name, line.decode(), settings, engine, cache)
            except Exception as error:
                if is_away(error):
                    raise
                log.exception("%s: what was given is not kept", path.name)
            path.unlink()


def _is_being_written(line: bytes, since: float) -> bool:
    """Return whether the file is still being written: its line has no end, and it is young."""
    return not line.endswith(b"\n") and time.time() - since < _WRITTEN_S


def _take_up(channel_id: str, line: str, settings: Settings, engine: Engine, cache: CallerCache) -> None:
    if not line.endswith("\n"):  # the disk was full, but the channel's id is known
        line = "||"
    number, language, subject = line.rstrip("\n").split("|")
    told = f"agi_uniqueid: {channel_id}\nagi_callerid: {number}\nagi_arg_2: {language}\n\n"
    call = Call(BytesIO(told.encode()), BytesIO(), settings.prompts_dir, settings.answer_seconds)
    caller = call.number(settings.allowed_prefixes)
    talk = Conversation(call, engine, settings, caller, cache.look_up(None))  # nobody is on the line
    resume.take_up(talk, subject)
    talk.leave()
    log.info("%s: hung up; what was given is kept", channel_id)
