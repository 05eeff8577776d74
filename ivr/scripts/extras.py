"""Optional details of a registration: a subject, then a message. Place and ticket are certain before."""

from dialplan.variables import Variable
from ivr import voice_message
from ivr.call import NoInput
from ivr.conversation import Conversation
from ivr.voice_message import Nothing


def offer(
    talk: Conversation,
    registration_id: int,
    *,
    round_id: int,
    asks_subject: bool = True,
    asks_voice_message: bool = True,
) -> None:
    """Ask for either once; # and silence skip it. However the call ends, the given details are stored.

    Raises WantsOperator, AGIHangup.
    """
    if asks_subject and (key := talk.ask_subject("ask-subject", round_id=round_id, optional=True)):
        talk.add(registration_id, subject=key)
        talk.call.set(Variable.SUBJECT, str(key))  # costs no transaction, and survives this script
    if asks_voice_message and talk.call.ask("message-offer", keys="1", optional=True):
        _voice_message(talk, registration_id)


def _voice_message(talk: Conversation, registration_id: int) -> None:
    spoken = voice_message.record_message(talk, "message-speak", "message-review")
    if spoken.wav:
        talk.add(registration_id, voice_message=spoken.wav.name)
    if spoken.left and not isinstance(spoken.left, NoInput):  # a silence at the review still leaves a message
        raise spoken.left
    if spoken.wav:
        talk.call.say("message-kept")
    elif spoken.nothing is not Nothing.DELETED:
        talk.call.say_instead("message-not-kept")
