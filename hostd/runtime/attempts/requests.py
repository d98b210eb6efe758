"""`ctx.http`: the loaded action http.request, run in place. One implementation, one guard of where requests may go."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.plugin import ActionError, HttpAnswer
from hostd.plugin.services import BLOB_BYTES_MAX
from hostd.runtime.ports import Actions, Arrivals
from hostd.values.json_text import JsonValue

ACTION = "http.request"
ANY_STATUS: list[JsonValue] = ["1xx", "2xx", "3xx", "4xx", "5xx"]


class Numbered:
    """An attempt's context with an idempotency key of its own for each of the things it asks for."""

    def __init__(self, context: Any, number: int) -> None:
        self._context = context
        self._number = number

    @property
    def idempotency_key(self) -> str:
        """The attempt's key and the number of what is asked: the same when the attempt is made again."""
        return f"{self._context.idempotency_key}-{self._number}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class Requests:
    """Sends requests for actions."""

    def __init__(self, actions: Callable[[], Actions], arrivals: Arrivals) -> None:
        self._actions = actions
        self._arrivals = arrivals

    async def __call__(
        self,
        context: Any,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: timedelta | None,
        number: int,
    ) -> HttpAnswer:
        """Send one request in the name of an ActionContext.

        Raises:
            ActionError: no answer; its code is one of http.request's.
            HostdError: OPTION_INVALID for what cannot be requested, PLUGIN_MISSING without the plugin `http`.
        """
        entry = self._actions().action(ACTION)
        if entry is None:
            await self._arrivals.settled([ACTION])  # as a step waits that uses it
            entry = self._actions().action(ACTION)
        if entry is None:
            why = self._arrivals.absence(ACTION) or "`hostd plugin list` shows what is loaded"
            raise HostdError(Kind.MISSING, "PLUGIN_MISSING", f"requests need the action {ACTION}; {why}")
        if not entry.filled:
            await asyncio.to_thread(entry.look)
        options: dict[str, JsonValue] = {"method": method.upper(), "url": url, "headers": dict(headers)}
        options |= {"expect_status": ANY_STATUS, "parse": "base64", "max_response_bytes": BLOB_BYTES_MAX}
        if body:
            options["body_base64"] = base64.b64encode(body).decode("ascii")
        if timeout is not None:
            options["timeout"] = f"{max(1, round(timeout / timedelta(milliseconds=1)))}ms"
        if not entry.life.ready:
            await entry.life.prepare()
        return _answer(await entry.instance.run(Numbered(context, number), entry.parse(options)))


def _answer(output: Any) -> HttpAnswer:
    """Return what the action gave as an answer. Raises ActionError where another plugin's http.request gives less."""
    try:
        body = base64.b64decode(output["body"]) if output["body"] is not None else b""
        return HttpAnswer(int(output["status"]), {name: str(text) for name, text in output["headers"].items()}, body)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ActionError(f"the loaded {ACTION} gives no answer that can be read", code="ANSWER_INVALID") from None
