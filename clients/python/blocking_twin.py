"""Writes hostd/client/blocking from hostd/client/aio: one source for both clients.

    python clients/python/blocking_twin.py

Each rule below is a word of asyncio and what stands for it without; ruff then formats the result. Text, comments and
docstrings go through the same rules, so that examples in them are right too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "hostd/client/aio"
TARGET = ROOT / "hostd/client/blocking"
MARK = "# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.\n"
OURS = r"\b(?:Async)?(Client|Connection|RunHandle|Watch)\b"
RULES = (
    (r'\n\nhostd/client/blocking is written from hostd/client/aio by clients/python/blocking_twin\.py\.\n"""', '"""'),
    (r"\bhostd\.client\.aio\b", "hostd.client.blocking"),
    (r"^import grpc\.aio\n", ""),
    (r"^ +except CUT:\n +self\._life\.cut\(\)\n +raise\n", ""),
    (r"^import asyncio\n", "import time\n"),
    (r"\bgrpc\.aio\.AioRpcError\b", "grpc.RpcError"),
    (r"\bgrpc\.aio\.", "grpc."),
    (r"\b(\w+Service)AsyncStub\b", r"\1Stub"),
    (r"`async with`", "use it in `with`"),
    (r"\basync (with|for|def)\b", r"\1"),
    (r"\bawait asyncio\.to_thread\((\w+), ", r"\1("),
    (r"\bawait ", ""),
    (r"\bAsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(Iterator|Iterable|Generator|ContextManager)\b", r"\1"),
    (r"\bAwaitable\[None\]", "None"),
    (r"\bimport ([^\n]*)\bAwaitable, ", r"import \1"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\baclosing\b", "closing"),
    (r"\baclose\b", "close"),
    (r"\banext\(", "next("),
    (r"\bconnect\(", "connect_blocking("),
    (r"with asyncio: ", "for threads: "),
    (r"it belongs to the running event loop", "threads may share it"),
    (r" Canceling the task cancels the call\.", ""),
    (OURS, r"Blocking\1"),
)


def twin(text: str) -> str:
    """Return the blocking form of a module."""
    for pattern, instead in RULES:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET / "made.py"), "-"]
    text = _imports_in_order(MARK + text if text else text)
    return _output_of(command, text)


def twins() -> dict[str, str]:
    """Return the text of each module below hostd/client/blocking, by its name."""
    return {file.name: twin(file.read_text(encoding="utf-8")) for file in sorted(SOURCE.glob("*.py"))}


def _imports_in_order(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--select", "I,F401", "--fix", "-q", "--stdin-filename"]
    command += [str(TARGET / "made.py"), "-"]
    return _output_of(command, text)


def _output_of(command: list[str], text: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    return done.stdout


def main() -> None:
    """Write the folder anew."""
    for old in TARGET.glob("*.py"):
        old.unlink()
    for name, text in twins().items():
        (TARGET / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
