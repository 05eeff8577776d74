"""Calls: desks, callers, callbacks, what is urgent, the voice."""

from datetime import time

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.values import Quiet, QuietHours, VoiceFiles, Words


class Calls(Part):
    """Calls: desks, callers, callbacks, what is urgent, the voice."""

    desks: int = Field(60, ge=1, le=500)
    """How many desks the office has; each has a phone account."""
    max_calls: int = Field(200, ge=1, le=5000)
    """So many callers at once; whoever dials beyond that hears that the lines are full, or is busy where the
    trunk has no channel left to say so."""
    callers_per_number: int = Field(4, ge=1, le=5000)
    """So many of these callers with one and the same number; one more is busy, and takes no line. Callers who
    hide their number are not counted."""
    ring_seconds: int = Field(30, ge=5, le=120)
    """How long a citizen's phone rings. Below 8, a trunk that is slow to answer may ring a phone that was
    given up already: an invitation that nobody answers goes on for 7.5 seconds."""
    answer_seconds: float = Field(7.0, gt=0, le=60)
    """How long a caller has for a key after a question."""
    detect_machines: bool = False
    """Listen for an answering machine when a callback is answered, and where one seems to speak ask only once
    for the 1. A hint that decides nothing; it costs every citizen up to two seconds of silence."""
    max_attempts: int = Field(3, ge=1, le=20)
    """Callbacks to one registration in one round."""
    retry_seconds: int = Field(600, ge=0)
    """Wait before a citizen who did not answer is called again, at the own place; twice as long each time.
    Half of it for a busy phone, double for one that cannot be reached (hotline/callbacks/retries.py)."""
    hold_seconds: int = Field(60, ge=5, le=600)
    """How long a citizen whose desk is lost in mid-conversation hears music until it is back."""
    on_hold_seconds: int = Field(180, ge=5, le=600)
    """How long a desk may have a citizen wait with music; then they come back to it by themselves."""
    call_ahead_most: int = Field(4, ge=1, le=10)
    """Citizens called ahead at once for each desk that serves a round, those who wait for it included. So
    many only where few can be reached."""
    calls_per_number: int = Field(8, ge=1, le=100)
    """Outgoing calls to one number in 24 hours, of whatever kind; then it is left in peace. Calls to
    supervisors about what cannot wait, and to the emergency service, have caps of their own by the hour."""
    calls_per_hour: int = Field(300, ge=1, le=100_000)
    """Outgoing calls in an hour, all together; a bill that runs away stops here."""
    calls_per_day: int = Field(3000, ge=1, le=1_000_000)
    """Outgoing calls in 24 hours, all together."""
    calls_at_once: int = Field(20, ge=1, le=1000)
    """Outgoing calls at one time; beside the callers they also have to find a channel of the trunk."""
    registrations_per_day: int = Field(3, ge=1, le=100)
    """So many places a caller may ask for in 24 hours, for the own number and for others together; with those
    given up again, twice as many. The operators' line is counted apart."""
    urgent_number: str = Field("", pattern=r"^(\d{2,15})?$")
    """The emergency service, as it is dialled. Who says with key 3 that somebody is in danger is connected
    with it, where no desk is free, or told to dial it; empty: neither."""
    urgent_minutes: int = Field(5, ge=1, le=60)
    """So long an urgent request, or a caller in danger, may wait for somebody who takes it; then supervisors
    are called."""
    supervisor_numbers: Words = ()
    """Whom to call and text then, one after another: +989131234567. Empty: nobody."""
    quiet_hours: Quiet = QuietHours(time(22), time(8))
    """When no text message goes out, nobody is called again, to be confirmed, or to be told that the turn is
    near; in the city's own time, 00:00-00:00 is never."""
    turn_near_places: int = Field(5, ge=1, le=100)
    """Whoever comes within so many places of a live round's line is told by text message that it is near."""
    turn_near_call: bool = False
    """Call them, too, once a round: press 1 if you can be reached in these minutes, 2 for the next round."""
    line_wait_minutes: int = Field(15, ge=1, le=120)
    """Who waits for an operator on the line is told after so long that they will be called back instead."""
    prompts_piper: VoiceFiles = Field({})
    """Voice files of Piper, by language: fa=/srv/voices/fa.onnx. Piper itself is installed separately.
    They go before those that `hotline137 prompts voice` has brought."""
    prompts_gtts: bool = False
    """Let gTTS speak the languages it has (Persian is not one): Google is asked to speak the prompts."""

    @field_validator("supervisor_numbers")
    @classmethod
    def _supervisors(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        prefixes = others.data.get("allowed_prefixes") or "+"  # wrong themselves, and named so
        if not all(n[1:].isdecimal() and 9 <= len(n) <= 16 and n.startswith(prefixes) for n in value):
            raise ValueError("must be numbers such as +989131234567, of the allowed prefixes")
        return value
