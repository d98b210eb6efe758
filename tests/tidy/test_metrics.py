"""Every metric that is declared is kept by some room."""

import ast

from tree import parsed, relative, sources

from hostd.telemetry.metrics import METRICS

DECLARED = "hostd/telemetry/"


def test_every_declared_metric_is_used() -> None:
    """A metric that nothing sets is a row in the reference that never shows."""
    used = {
        node.value
        for file in sources("hostd")
        if not relative(file).startswith(DECLARED)
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert {metric.name for metric in METRICS} - used == set()
