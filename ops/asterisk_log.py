"""Makes Asterisk's log readable: it writes one JSON object for each event (logger.conf), so that no packet
can write a line of its own. A refused sign-in by SIP becomes the line that the API writes for a page's."""

import json
import re

from ops.log import escaped

_REFUSED = re.compile(
    r"""Request\ '\w+'\ from\ '
    (?:"(?:[^"\\]|\\.)*"|[^"])*?    # who it claims to be: what stands in quotes may be anything
    '\ failed\ for\ '(?P<address>[^\s']+):\d+'\ \(callid:\ .*\)\ -\ (?P<reason>[^)]+)""",
    re.VERBOSE | re.DOTALL,
)
_UNKNOWN = ("No matching endpoint found", "Not match Endpoint ACL")


def readable(line: str) -> str:
    """The event of a line that Asterisk wrote, as one line; empty for one that concerns nobody.

    A line that is no event (at the start) is given back as it is.
    """
    try:
        event = json.loads(line)["logmsg"]
        level, place, message = event["level"], event["location"], event["message"].strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    if refused := _REFUSED.match(message):
        why = "unknown-phone" if refused["reason"].startswith(_UNKNOWN) else "wrong-credentials"
        return f"WARNING sign-in refused ({why}) from {refused['address'].strip('[]')}"
    if level == "NOTICE":
        return ""
    return escaped(f"{level:<7} {place['filename']}:{place['line']} {message}")
