"""What an attempt raises when whoever ran it is gone, and with it all knowledge of how far it came."""


class AttemptLostError(Exception):
    """The process that held the attempt died. It is decided about like one that was lost with a daemon."""
