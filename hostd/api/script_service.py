"""ScriptService: from the wire to the port and back."""

from __future__ import annotations

from typing import Any

from hostd.api.convert.catalogue import script_message
from hostd.api.convert.checks import check_expression, check_source, fault
from hostd.api.convert.payloads import failure_of, json_payload, read_payload
from hostd.api.ports import Scripts
from hostd.v1 import script_service_pb2 as wire
from hostd.v1.script_service_pb2_grpc import ScriptServiceServicer
from hostd.values.json_text import INT_MAX


class ScriptService(ScriptServiceServicer):
    """Scripts and expressions on their own."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def ValidateScript(self, request: wire.ValidateScriptRequest, context: Any) -> wire.ValidateScriptResponse:
        """Compile a script."""
        view = await self._scripts.validate(check_source(request.source))
        failure = failure_of(view.failure) if view.failure is not None else None
        return wire.ValidateScriptResponse(failure=failure, line=view.line)

    async def EvaluateScript(self, request: wire.EvaluateScriptRequest, context: Any) -> wire.EvaluateScriptResponse:
        """Run a script."""
        source = check_source(request.source)
        data, _ = read_payload(request.input, "input")
        limits = dict(request.limits)
        if any(value > INT_MAX for value in limits.values()):
            raise fault("limits", "a limit is past 2^63")
        return script_message(await self._scripts.evaluate(source, data, limits=limits))

    async def EvaluateExpression(
        self, request: wire.EvaluateExpressionRequest, context: Any
    ) -> wire.EvaluateExpressionResponse:
        """Evaluate an expression."""
        expression = check_expression(request.expression)
        data, value = read_payload(request.context, "context", nothing=b"{}")
        if not isinstance(value, dict):
            raise fault("context", "it is a JSON object: a value for each root, such as input and steps")
        return wire.EvaluateExpressionResponse(value=json_payload(await self._scripts.expression(expression, data)))
