"""A request that makes no event, and what is answered to it."""

from __future__ import annotations

from collections.abc import Mapping

from hostd.plugin import JsonValue, WebhookResponse


class Refusal(Exception):
    """Raised by each check of a request; holds the answer."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        faults: list[JsonValue] | None = None,
    ) -> None:
        super().__init__(message)
        body: dict[str, JsonValue] = {"reason": reason, "message": message}
        if faults:
            body["faults"] = faults
        plain = WebhookResponse.json(status, body)
        self.response = WebhookResponse(status, {**plain.headers, **(headers or {})}, plain.body)
