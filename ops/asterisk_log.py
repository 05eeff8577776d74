"""Turns Asterisk's log into our own. Asterisk writes one JSON object an event (logger.conf), so no packet
can start a line. A refused SIP request becomes the line that the API writes for a refused page.
"""

import json
import re

from ops.log import escaped

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_REFUSED = re.compile(
    rf"""SecurityEvent="(?P<event>InvalidAccountID|ChallengeResponseFailed|InvalidPassword|FailedACL)",
    EventTV="[^"]*",Severity="[^"]*",Service="PJSIP",
    .*                              # AccountID and SessionID: the packet's, with any character
    ,RemoteAddress="IPV[46]/[A-Z]+/(?P<address>[0-9A-Fa-f.:]+)/\d+"
    (?:,(?:Challenge|Response|ExpectedResponse|ACLName)={_QUOTED})*\s*""",
    re.VERBOSE | re.DOTALL,
)
"""A security event. Asterisk escapes nothing in it. The packet's Call-ID and user may hold quotes, and stand
before RemoteAddress; what follows comes from quoted strings of the Authorization header, which hold no bare
quote. So only the RemoteAddress that is followed by nothing but such fields is the socket's.
"""
_UNKNOWN_TOO = re.compile(
    r'SecurityEvent="ChallengeResponseFailed",.*?EventVersion="1",AccountID="<unknown>"'
)
"""The second event of a stranger who sends credentials: Asterisk has told of them as InvalidAccountID."""
_WRONG = ("ChallengeResponseFailed", "InvalidPassword")


def readable(line: str) -> str:
    """The event of a line that Asterisk wrote, as one line; empty for one that concerns nobody.

    A line that is no event (at the start) is given back as it is.
    """
    try:
        event = json.loads(line)["logmsg"]
        level, place, message = event["level"], event["location"], event["message"].strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    if level == "SECURITY" and _UNKNOWN_TOO.match(message):
        return ""
    if level == "SECURITY" and (refused := _REFUSED.fullmatch(message)):
        why = "wrong-credentials" if refused["event"] in _WRONG else "unknown-phone"
        return f"WARNING sign-in refused ({why}) from {refused['address']}"
    if level in ("NOTICE", "SECURITY"):
        return ""
    return escaped(f"{level:<7} {place['filename']}:{place['line']} {message}")
