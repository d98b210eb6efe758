"""From options to a message as it goes over the wire."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from hostd.plugin import ActionError
from hostd_builtin.email.mailbox import parse_mailbox
from hostd_builtin.email.options import MESSAGE_BYTES_MAX, SendOptions

_PLAIN = SMTP.clone(cte_type="7bit")  # not every server takes 8 bits


def build(options: SendOptions, *, key: str, at: datetime) -> EmailMessage:
    """Return the message; receivers in `bcc` stand nowhere in it.

    Args:
        key: the step's idempotency key, the same for each try; the Message-ID is made of it, so receivers know a
            repetition.
    """
    message = EmailMessage(policy=_PLAIN)
    sender = parse_mailbox(options.from_)
    message["From"] = sender
    for name, texts in (("To", options.to), ("Cc", options.cc), ("Reply-To", options.reply_to)):
        if texts:
            message[name] = addresses(texts)
    message["Subject"] = options.subject
    message["Date"] = at
    message["Message-ID"] = message_id(key, sender)
    for name, value in options.headers.items():
        message[name] = value
    _fill(message, options)
    return message


def message_id(key: str, sender: Address) -> str:
    """Return the Message-ID of a step."""
    return f"<{key.lower()}@{sender.domain}>"


def addresses(texts: str | list[str]) -> tuple[Address, ...]:
    """Return parsed addresses."""
    return tuple(parse_mailbox(text) for text in texts)


def receivers(options: SendOptions) -> list[str]:
    """Return every receiver's address once, in order."""
    found = (address.addr_spec for texts in (options.to, options.cc, options.bcc) for address in addresses(texts))
    return list(dict.fromkeys(found))


def _fill(message: EmailMessage, options: SendOptions) -> None:
    if options.text is not None:
        message.set_content(options.text)
        if options.html is not None:
            message.add_alternative(options.html, subtype="html")
    else:
        message.set_content(options.html or "", subtype="html")
    for attachment in options.attachments:
        kind, _, subtype = attachment.content_type.partition("/")
        message.add_attachment(attachment.content(), maintype=kind, subtype=subtype, filename=attachment.name)


def wire(message: EmailMessage) -> bytes:
    """Return the bytes. Raises ActionError TOO_LARGE."""
    data = message.as_bytes()
    if len(data) > MESSAGE_BYTES_MAX:
        raise ActionError(f"the message has {len(data)} bytes; {MESSAGE_BYTES_MAX} are allowed", code="TOO_LARGE")
    return data
