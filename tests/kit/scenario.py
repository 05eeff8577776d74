"""The pieces of sipp scenarios, as XML. `sipp.py` puts them together.

In all of them `[word]` is sipp's own keyword and `[$word]` a part of a message that was remembered.
"""

import re
import shlex
from xml.sax.saxutils import escape

SDP = """v=0
o=- 137 137 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
"""
END = '<label id="end"/><nop/>'
"""The end of every scenario of a called phone."""
STOP = '<nop><action><exec command="kill $(cat [call_number].pid)"/></action></nop>'
"""The program that pressed the keys stops."""


def whole(steps: str) -> str:
    """A whole scenario. sipp refuses variables that nothing uses, so each is mentioned."""
    names = ",".join(dict.fromkeys(re.findall(r'assign_to="([^"]+)"', steps)))
    return f'<?xml version="1.0"?><scenario name="kit">{steps}<Reference variables="{names}"/></scenario>'


def literal(text: str) -> str:
    """The text as it is, byte for byte, whatever sipp thinks of its characters."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(
        chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in text.encode("utf-8", "surrogateescape")
    )


def remember(name: str, regexp: str, header: str = "") -> str:
    """Remember the group of a regular expression in the message just received, or in one header."""
    where = f'search_in="hdr" header="{header}:"' if header else 'search_in="msg"'
    pattern = escape(regexp, {'"': "&quot;"})
    return f'<ereg regexp="{pattern}" {where} check_it="true" assign_to="all_{name},{name}"/>'


MEDIA = remember("media", "m=audio ([0-9]+)")


def received() -> str:
    """An INVITE comes in."""
    parts = MEDIA + remember("from", "^ *(.*)$", "From") + remember("to", "^ *(.*)$", "To")
    parts += remember("peer", "<([^>]+)>", "Contact") + remember("cseq", "^ *(.*)$", "CSeq")
    return f'<recv request="INVITE"><action>{parts}</action></recv>'


def _send(text: str, body: str = "", how: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return f"<send {how}><![CDATA[{text}{kind}Content-Length: [len]\n\n{body}]]></send>"


def reply(status: str, body: str = "", how: str = "", cseq: str = "[$cseq]") -> str:
    """Answer the INVITE."""
    text = f"SIP/2.0 {status}\n[last_Via:]\nFrom: [$from]\nTo: [$to];tag=[call_number]\n"
    text += f"[last_Call-ID:]\nCSeq: {cseq}\nContact: <sip:[local_ip]:[local_port]>\n"
    return _send(text, body, how)


def accept(next_label: str = "") -> str:
    """Answer 200 to the request that just came in, then go to the label."""
    how = f'next="{next_label}"' if next_label else ""
    text = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
    return _send(text, how=how)


def ring(after_ms: int | None, early: str = "") -> str:
    """Ring that long, or for ever, or with this SDP sound; a caller who cancels meanwhile ends the call."""
    limit = "" if after_ms is None else f'timeout="{max(after_ms, 1)}" ontimeout="go"'
    cancelled = accept() + reply("487 Request Terminated", how='retrans="500"')
    cancelled += '<recv request="ACK" next="end"/><label id="go"/>'
    begins = reply("183 Session Progress", early) if early else reply("180 Ringing")
    return begins + f'<recv request="CANCEL" {limit}/>' + cancelled


def request(
    method: str, uri: str, sender: str, callee: str, extra: str = "", body: str = "", seq: int = 1
) -> str:
    """Send a request of a dialog."""
    retrans = "" if method == "ACK" else 'retrans="500"'
    branch = "z9hG4bK-[pid]-[call_number]-1" if uri != "[next_url]" else "[branch]"
    extra += "[routes]\n" if uri == "[next_url]" else ""
    text = (
        f"{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}\n"
        f"From: {sender}\nTo: {callee}\nCall-ID: [call_id]\nCSeq: {seq} {method}\n"
        f"Contact: <sip:[local_ip]:[local_port]>\nMax-Forwards: 70\n{extra}"
    )
    return _send(text, body, retrans)


def talk(keys: str, after_ms: int) -> str:
    """Play the sound, and press the keys. `@TALK@` and `@SOUND@` are filled in later.

    sipp plays by itself, but only root's sipp can press keys: then another program does both.
    """
    if not keys:
        return '<nop><action><exec rtp_stream="@SOUND@,-1,8,PCMA/8000"/></action></nop>'
    run = f"echo $$ > [call_number].pid; @TALK@ [pid] [$media] @SOUND@ {shlex.quote(keys)} {after_ms / 1000}"
    return f'<nop><action><exec command="{escape(run)}"/></action></nop>'


def ending(hangup_after_ms: int | None, bye: str, keys: str) -> str:
    """Wait for the other side's BYE, or hang up after that time; whoever pressed keys stops."""
    limit = f'timeout="{hangup_after_ms}" ontimeout="bye"' if hangup_after_ms is not None else ""
    other = f'<recv request="BYE" {limit}/>' + accept("over")
    own = f'<label id="bye"/>{bye}<recv response="200"/>' if limit else ""
    return other + own + '<label id="over"/>' + (STOP if keys else "<nop/>") + END
