"""Conversion of Asterisk's log into ours.

Asterisk writes one JSON object for each event (logger.conf), so no packet can begin a line. A refused SIP
request becomes the line that the API writes for a refused page.
"""

import json
import re

from ops.log import escape

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_REFUSED = re.compile(
    rf"""SecurityEvent="(?P<event>InvalidAccountID|ChallengeResponseFailed|InvalidPassword|FailedACL)",
    EventTV="[^"]*",Severity="[^"]*",Service="PJSIP",
    .*                              # AccountID and SessionID: the packet's, with any character
    ,RemoteAddress="IPV[46]/[A-Z]+/(?P<address>[0-9A-Fa-f.:]+)/\d+"
    (?:,(?:Challenge|Response|ExpectedResponse|ACLName)={_QUOTED})*\s*""",
    re.VERBOSE | re.DOTALL,
)
"""Security event, in which Asterisk escapes nothing. The packet's Call-ID and user may hold quotes, and stand
before RemoteAddress. The fields after it come from quoted strings of the Authorization header, without bare
quotes. So only a RemoteAddress that is followed by such fields alone is the socket's.
"""
_UNKNOWN_TOO = re.compile(
    r'SecurityEvent="ChallengeResponseFailed",.*?EventVersion="1",AccountID="<unknown>"'
)
"""Second event about a stranger who sends credentials; Asterisk has reported them as InvalidAccountID."""
_WRONG = ("ChallengeResponseFailed", "InvalidPassword")


def format_event(line: str) -> str:
    """Return the event of Asterisk's line as one line; empty for an uninteresting one.

    A line that is no event (at the start) is returned unchanged.
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
    return escape(f"{level:<7} {place['filename']}:{place['line']} {message}")
