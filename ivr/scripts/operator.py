"""Key 0: an operator calls back. The standing line is a line like any other."""

from ivr.conversation import Conversation


def run(talk: Conversation) -> None:
    """Put the caller into the operators' line, once."""
    call = talk.call
    call.leads_to_operator = False  # it has
    if call.ask("operator-offer", keys="1#") != "1":
        return
    number, confirmed = talk.number_to_call()
    registered = talk.commit(None, number, confirmed=confirmed)
    if registered is None:
        return
    if confirmed or not registered.already:  # a stranger hears nothing of whose number it is
        call.say("operator-registered", ticket=registered.ticket)
        talk.tell_place(registered.ahead)
    if not confirmed:
        call.say("number-will-be-confirmed")
