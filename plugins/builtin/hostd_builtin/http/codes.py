"""What failures of http.request are called."""

from __future__ import annotations

CODES = {
    "HTTP_<status>": (
        "The server said no; `error.details` holds `status` and the beginning of `body`. A status that is "
        "fine for you goes into `expect_status`."
    ),
    "ADDRESS_DENIED": "The address is private or denied. Ask the operator for `egress.allow`, as the message shows.",
    "NETWORK": "The server cannot be reached, or broke off. Retryable: add `retry`.",
    "TIMEOUT": "No complete answer in time. Retryable: add `retry`, or raise `timeout`.",
    "TLS": "The certificate is not trusted (`tls.ca` names whom to trust), or `tls` holds no certificate or key.",
    "OAUTH_REFUSED": "The token address does not take id, secret or scope; the message holds its `error`.",
    "OAUTH_UNAVAILABLE": "The token address is down or busy. Retryable: add `retry`.",
    "RESPONSE_TOO_LARGE": (
        "The answer is larger than permitted. Raise `max_response_bytes` (at most 16 MiB), or ask for less."
    ),
    "BODY_TOO_LARGE": "The parts of `multipart` have more than 16 MiB together. Send less.",
    "BODY_INVALID": "The answer is not what its content type or encoding says; `parse: text` takes it as it is.",
    "PAGE_INVALID": "A page is not as `paginate` says. Look at its `items` and `path`, and at what the server sends.",
    "PAGES_CIRCULAR": (
        "A page leads back to one that was seen already. Look at `paginate`, and at what the server sends."
    ),
    "TOO_MANY_REDIRECTS": "The server leads on and on. Look at the address in the message, or raise `max_redirects`.",
    "REDIRECT_REFUSED": (
        "The server leads to where `redirects` does not follow, or away from TLS. Look at the address in the message."
    ),
    "URL_INVALID": "It is no address that can be requested. Look at the address in the message.",
}
