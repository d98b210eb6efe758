"""A host in the lifespan of a web application, served by a real server in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = SUPPORT.parents[1]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the application while inside; it ends in good order on SIGTERM, as the server does."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins/builtin", SUPPORT)))
    command = [sys.executable, "-m", "uvicorn", "asgi_program:app", "--port", "0"]
    env = {**os.environ, "PYTHONPATH": path, "FOLDER": str(folder)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as server:
        assert server.stderr is not None
        said = []
        try:
            for line in server.stderr:
                said.append(line)
                if "running on" in line:
                    yield line.partition("running on ")[2].split()[0]
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            server.send_signal(signal.SIGTERM)
            _, rest = server.communicate(timeout=60)
    assert "Application shutdown complete" in rest, "".join(said) + rest
    assert "Traceback" not in rest


def ask(url: str, body: Any = None) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_web_application_runs_workflows(tmp_path: Path) -> None:
    """Requests start runs and answer with their output; the server's signals stay the server's."""
    with served(tmp_path / "data") as url:
        assert ask(f"{url}/orders", {"sku": "a-1"}) == (200, {"sku": "a-1", "cents": 300})
        assert ask(f"{url}/orders", {}) == (400, {"reason": "INPUT_INVALID"})
    with served(tmp_path / "data") as url:
        assert ask(f"{url}/orders", {"sku": "b"}) == (200, {"sku": "b", "cents": 100})
        assert ask(f"{url}/runs") == (200, ["SUCCEEDED", "SUCCEEDED"])
