"""What failures of email.send are called."""

from __future__ import annotations

CODES = {
    "SMTP_<code>": "The server said no; 4xx is retryable, 5xx is not. `SMTP_535`: the login is wrong.",
    "NETWORK": "The server cannot be reached. Retryable: add `retry`.",
    "TIMEOUT": "The server did not answer in time. Retryable: add `retry`.",
    "TLS": (
        "The certificate is not trusted, or the server speaks no TLS on that port: `tls` is usually 465, "
        "`starttls` 587."
    ),
    "UNSUPPORTED": "The server offers no STARTTLS, or no login. Look at `security` and `auth`.",
    "ADDRESS_DENIED": (
        "The address is private. Ask the operator for `egress.allow`, or to name the server in the settings."
    ),
    "NO_SERVER": "Nobody says which server. Give `server`, or ask the operator to name one in the settings.",
    "UNPROTECTED": "A password would go unprotected. Use `security: tls` or `starttls` with `auth`.",
    "TOO_LARGE": "The message is too large. Send less: a link instead of an attachment.",
}
