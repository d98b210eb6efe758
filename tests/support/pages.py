"""Pages of the documentation that are played as they stand: files written, commands run, what they print compared.

A remark above a fenced block says what it is:

| remark | what is done with the block |
|---|---|
| `file: NAME` | written into the page's folder |
| none, above `sh` | run as a person would type it; it must succeed |
| `config` | becomes `hostd.yaml` of the daemon, which is started again where it runs |
| `background` | `hostd serve ...`: the daemon, which every block before this one has to do without |
| `prints` | lines that the block before printed, in this order; `...` stands for anything, a space for any room |
| `stopped` | run while the daemon is stopped in good order |
| `seen: WHO` | lines that another party of the test has got, such as a mail server |
| `until: TEXT` | run again and again until it prints TEXT, as a person would look |
| `fragment: WHY` | nothing: a piece that cannot stand alone, and why |
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from processes import DaemonProcess, wait_until
from tree import ROOT

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
COMMAND_S = 120
LOOK_S = 120


class Block(NamedTuple):
    """A fenced block and the remark above it."""

    mark: str
    kind: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield Block(match["mark"] or "", match["kind"], match["text"], text.count("\n", 0, match.start()) + 1)


class Stage:
    """A folder, and a daemon on its `data`, that a page is played on."""

    def __init__(self, folder: Path, swaps: dict[str, str] | None = None, **env: str) -> None:
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        self.folder = folder
        self.daemon = DaemonProcess(folder, PATH=path, PAGER="cat", COLUMNS="120", **env)
        self.swaps = {
            "127.0.0.1:7421": self.daemon.http,
            "127.0.0.1:7420": self.daemon.listen,
            "/srv/": f"{folder}/srv/",
        }
        self.swaps |= swaps or {}
        self.started = False
        self.said = ""
        self.seen: dict[str, Callable[[], str]] = {}

    def play(self, page: Path) -> None:
        """Do what each block says; the daemon runs from the start unless the page starts it."""
        found = list(blocks(page))
        if not any(block.mark == "background" for block in found):
            self._configure(found)
            self._start()
        try:
            for block in found:
                self._do(block, f"{page.relative_to(ROOT)}:{block.line}")
            if self.started:
                self._stop()
        finally:
            self.daemon.close()

    def _configure(self, found: list[Block]) -> None:
        """Lay the first configuration in place before the first start."""
        for block in found:
            if block.mark == "config":
                self._write(self.daemon.data / "hostd.yaml", block.text)
                return

    def _do(self, block: Block, where: str) -> None:
        verb, _, rest = block.mark.partition(": ")
        if verb == "fragment":
            return
        if verb == "file":
            self._write(self.folder / rest, block.text)
        elif verb == "config":
            self._reconfigure(block.text)
        elif verb == "background":
            self._start()
        elif verb == "prints":
            check_print(block.text, self.said, where)
        elif verb == "seen":
            check_print(block.text, self.seen[rest](), where)
        elif verb == "stopped":
            self._stop()
            self.said = self._shell(block.text, where)
            self._start()
        elif verb == "until":
            wait_until(lambda: pattern(rest).search(self._shell(block.text, where)), f"{rest!r} at {where}", LOOK_S)
        elif block.kind == "sh":
            self.said = self._shell(block.text, where)

    def _swapped(self, text: str) -> str:
        for there, here in self.swaps.items():
            text = text.replace(there, here)
        return text

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._swapped(text))

    def _reconfigure(self, text: str) -> None:
        file = self.daemon.data / "hostd.yaml"
        if file.exists() and file.read_text() == self._swapped(text):
            return
        self._write(file, text)
        if self.started:
            self._stop()
            self._start()

    def _start(self) -> None:
        if self.daemon.process is not None:
            self.daemon.wait()
        self.daemon.start()
        self.started = True

    def _stop(self) -> None:
        assert self.daemon.stop() == 0, self.daemon.log.read_text()
        self.started = False

    def _shell(self, script: str, where: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._swapped(script)],
            cwd=self.folder,
            env=self.daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
        )
        assert done.returncode == 0, f"{where}\n{script}\n{done.stdout}\n{self._log()}"
        return done.stdout

    def _log(self) -> str:
        return self.daemon.log.read_text()[-3000:] if self.daemon.log.exists() else ""


def pattern(line: str) -> re.Pattern[str]:
    """Return what finds a line of a page in what was printed."""
    return re.compile(re.escape(line).replace(r"\.\.\.", ".*?").replace(r"\ ", r"\s+"))


def check_print(expected: str, said: str, where: str) -> None:
    """Each line of the page stands in what was printed, one after the other."""
    place = 0
    for line in filter(None, (line.strip() for line in expected.splitlines())):
        found = pattern(line).search(said, place)
        assert found, f"{where}: not printed: {line}\n{said}"
        place = found.end()
