"""Tailing logs: the rpc that streams what attempts log, from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from hostd.api.convert.checks import check_attempt, check_namespace, check_step
from hostd.api.convert.runs import read_ref
from hostd.api.run_ports import Runs
from hostd.api.run_reading import run_scope
from hostd.api.tokens import Position, Tokens, scope_of
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.model.requests import RunRef
from hostd.model.views import LogPosition, TailedLogs
from hostd.v1 import run_service_pb2 as wire

TOKEN_TEXT_MAX = 1_200  # characters of a position that still make a token which fits


class LogTailing:
    """The part of RunService that tails logs."""

    _runs: Runs
    _tokens: Tokens
    _seats: WatchSeats

    async def TailLogs(self, request: wire.TailLogsRequest, context: Any) -> AsyncIterator[wire.TailLogsResponse]:
        """Stream lines; the last message says how the run ended."""
        namespace, ref = check_namespace(request.namespace), read_ref(request.run)
        step, attempt = check_step(request.step), check_attempt(request.attempt)
        scope = scope_of("TailLogs", run_scope("TailLogs", namespace, ref).hex(), step, str(attempt))
        run_id, after = "", None
        if request.resume_token:
            run_id, after = read_position(self._tokens.read_watch(request.resume_token, scope))
        run_id = run_id or ref.run_id or (await self._runs.get(namespace, ref)).run_id
        tail = self._runs.tail(namespace, RunRef(run_id), step=step, attempt=attempt, after=after)
        with self._seats.take("logs"):
            async with aclosing(tail) as pages:  # type: ignore[type-var]
                async for page in pages:
                    yield _message(page, self._token(scope, run_id, page.position))

    def _token(self, scope: bytes, run_id: str, position: LogPosition) -> str:
        parts = position_parts(run_id, position)
        return self._tokens.watch(scope, parts) if sum(map(len, parts)) + len(parts) <= TOKEN_TEXT_MAX else ""


def position_parts(run_id: str, position: LogPosition) -> list[str]:
    """Return a position as tokens hold it."""
    told = [f"{count}:{attempt}:{step}" for (step, attempt), count in position.told.items()]
    return [run_id, str(position.seq), *told]


def read_position(parts: Position) -> tuple[str, LogPosition]:
    """Return run and position of a token. Raises HostdError RESUME_TOKEN_INVALID for one of another watch."""
    try:
        if not isinstance(parts, list):
            raise ValueError
        run_id, seq, *told = parts
        open_attempts = {}
        for text in told:
            count, attempt, step = text.split(":", 2)
            open_attempts[step, int(attempt)] = int(count)
        return run_id, LogPosition(int(seq), open_attempts)
    except ValueError:
        message = "the resume token belongs to another watch; start without one"
        raise invalid("RESUME_TOKEN_INVALID", message) from None


def _message(page: TailedLogs, token: str) -> wire.TailLogsResponse:
    lines = [wire.LogLine(step=log.step, attempt=log.attempt, text=line) for log in page.logs for line in log.lines]
    return wire.TailLogsResponse(
        lines=lines,
        resume_token=token,
        snapshot_end=page.snapshot_end,
        run_state=page.run_state,  # type: ignore[arg-type]
    )
