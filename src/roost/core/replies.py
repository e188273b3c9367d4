"""The texts that answer STOP, HELP and START."""

from roost.core.consent import Reply
from roost.core.organization import AutoReplies

# CTIA's Messaging Principles ask for the sender's name, what happened, and how to change it.
_DEFAULTS: dict[Reply, str] = {
    "stop": "{name}: you are unsubscribed and will get no more messages from this number. Reply START to get them again.",
    "help": "{name}: reply STOP to get no more messages from this number.",
    "start": "{name}: you will get messages from this number again. Reply HELP for help, STOP to stop.",
}


def reply_text(reply: Reply, name: str, settings: AutoReplies) -> str:
    """The organization's own text, or the default one with its name."""
    own = {"stop": settings.stop_text, "help": settings.help_text, "start": settings.start_text}[reply]
    return own or _DEFAULTS[reply].format(name=name)
