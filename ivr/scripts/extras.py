"""What a registered caller may add: a subject, then a message. The place is safe, and the ticket is told."""

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
    """Ask for either, once; # and silence skip it. Whatever ends the call, what was given is kept.

    Raises WantsOperator, AGIHangup.
    """
    if asks_subject and (key := talk.ask_subject("ask-subject", round_id=round_id, optional=True)):
        talk.add(registration_id, subject=key)
        talk.call.set(Variable.SUBJECT, str(key))  # no transaction, and it outlives us
    if asks_voice_message and talk.call.ask("message-offer", keys="1", optional=True):
        _voice_message(talk, registration_id)


def _voice_message(talk: Conversation, registration_id: int) -> None:
    spoken = voice_message.listen(talk, "message-speak", "message-review")
    if spoken.wav:
        talk.add(registration_id, voice_message=spoken.wav.name)
    if spoken.left and not isinstance(spoken.left, NoInput):  # who is silent at the review has left a message
        raise spoken.left
    if spoken.wav:
        talk.call.say("message-kept")
    elif spoken.nothing is not Nothing.DELETED:
        talk.call.say_instead("message-not-kept")
