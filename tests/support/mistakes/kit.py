"""One mistake people make, played for real: the files they wrote, the commands they ran, and what they read then.

A mistake is a function with a docstring: its first line is the title, the rest says why it happens. What it does goes
through a `Stage`, which writes a transcript: the golden file, and from it docs/reference/mistakes.md.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import runpy
import subprocess
import textwrap
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple, TypeVar

from commands import CommandDaemon, Done
from processes import HOSTD, free_port
from requires import require_tool

from hostd.values.version import VERSION

Play = Callable[["Stage"], None]
P = TypeVar("P", bound=Play)

MISTAKES: dict[str, Mistake] = {}
"""Every mistake by its name, in the order of the page."""


class Mistake(NamedTuple):
    """A mistake: the part of the page it is in, its name (that of the golden file), and how it is made."""

    part: str
    name: str
    title: str
    why: str
    play: Play


def mistake(part: str) -> Callable[[P], P]:
    """Add a function to the list."""

    def add(play: P) -> P:
        title, _, why = inspect.cleandoc(play.__doc__ or "").partition("\n\n")
        name = play.__name__.replace("_", "-")
        assert name not in MISTAKES, name
        MISTAKES[name] = Mistake(part, name, title.removesuffix("."), " ".join(why.split()), play)
        return play

    return add


class Answer(NamedTuple):
    """What a command said, as the transcript has it; `code` is None for a program that is not ours."""

    code: int | None
    text: str


class Stage:
    """A folder of its own, a daemon that all share, and the transcript of what is done here."""

    def __init__(self, folder: Path, daemon: CommandDaemon) -> None:
        self.folder = folder
        self.daemon = daemon
        self.answers: list[Answer] = []
        self._lines: list[str] = []
        self._places = {
            f"{folder}/": "",
            str(folder): "/home/ada",
            f"{daemon.folder}/": "",
            daemon.listen: "127.0.0.1:7420",
        }

    def also(self, real: str, shown: str) -> None:
        """Show a text that differs from run to run, such as a port, as another one."""
        self._places[real] = shown

    def port(self, shown: int) -> str:
        """Return an address nobody listens on; the transcript shows it with another port."""
        address = f"127.0.0.1:{free_port()}"
        self.also(address, f"127.0.0.1:{shown}")
        return address

    def file(self, name: str, text: str, *, shown: bool = True) -> Path:
        """Write a file; the transcript shows it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text)
        path.write_text(text)
        if shown:
            self._lines += [f"{name}:", *(f"  {line}".rstrip() for line in self._plain(text).splitlines()), ""]
        return path

    def told(self, code: int | None, command: str, *streams: str) -> None:
        """Note what a command said; None is the exit code of a program that is not ours."""
        text = self._plain("".join(streams)).rstrip("\n")
        self.answers.append(Answer(code, text))
        end = [] if code is None else [f"[exit code {code}]"]
        self._lines += [f"$ {self._plain(command)}", *([text] if text else []), *end, ""]

    def hostd(self, *arguments: str, **env: str) -> Done:
        """Run a command against the shared daemon; variables other than HOSTD_DATA are shown."""
        with chdir(self.folder):
            done = self.daemon.here(*arguments, env=env)
        said = " ".join(f"{name}={value}" for name, value in env.items() if name not in ("HOSTD_DATA", "HOME"))
        self.told(done.code, f"{said} hostd {_quoted(arguments)}".lstrip(), done.out, done.err)
        return done

    def until_refused(self, *arguments: str, **env: str) -> None:
        """Run a command again and again until it is refused; note that."""
        with chdir(self.folder):
            done = next(done for _ in range(200) if (done := self.daemon.here(*arguments, env=env)).code)
        self.told(done.code, f"hostd {_quoted(arguments)}", done.out, done.err)

    def validate(self, text: str, name: str = "order.yaml") -> None:
        """Write a document and check it."""
        self.file(name, text)
        self.hostd("validate", name)

    def prepare(self, *arguments: str) -> Done:
        """Run a command that must succeed and that the transcript leaves out."""
        with chdir(self.folder):
            done = self.daemon.here(*arguments)
        assert done.code == 0, done
        return done

    def without_root(self, *arguments: str) -> None:
        """Run a command in a process of its own, which rights of files bind whoever runs the tests."""
        done = self._process(*arguments)
        self.told(done.returncode, f"hostd {_quoted(arguments)}", done.stdout, done.stderr)

    def serve(self, *arguments: str, **env: str) -> None:
        """Start a daemon that is to refuse, in a process of its own, and wait for its end."""
        done = self._process("serve", *_ports_of_our_own(arguments), **env)
        told = "".join(line for line in done.stderr.splitlines(True) if not _LOG_LINE.match(line))
        said = " ".join(f"{name}={value}" for name, value in env.items())
        self.told(done.returncode, f"{said} hostd serve {_quoted(arguments)}".lstrip(), done.stdout, told)

    def _process(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        outer = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
        command = [*_rights_bind(), *HOSTD, *arguments]
        return subprocess.run(command, env={**outer, **env}, cwd=self.folder, capture_output=True, text=True,
                              check=False, timeout=120)  # fmt: skip

    def python(self, name: str) -> None:
        """Run a Python program of the folder in this process."""
        out = io.StringIO()
        with redirect_stdout(out):
            runpy.run_path(str(self.folder / name))
        self.told(None, f"python {name}", out.getvalue())

    def transcript(self, mistake: Mistake) -> str:
        """Return the golden text."""
        head = [f"{mistake.part}: {mistake.title}", *textwrap.wrap(mistake.why, 110), ""]
        return "\n".join([*head, *self._lines]).rstrip("\n") + "\n"

    def _plain(self, text: str) -> str:
        for real in sorted(self._places, key=len, reverse=True):
            text = text.replace(real, self._places[real])
        for pattern, shown in _CHANGING:
            text = pattern.sub(shown, text)
        return text


_LOG_LINE = re.compile(r"\S+Z (debug|info|warning) +hostd")
_CHANGING = [
    (re.compile(r"\b[Pp]rocess \d+\b"), "process 4711"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2031-05-04T12:00:00Z"),
    (re.compile(rf"\bhostd {re.escape(VERSION)}\b"), "hostd 1.2.3"),
    (re.compile(r"\bknows up to \d+\b"), "knows up to 7"),
    (re.compile(r"\b(?=[a-v]*[0-9])[0-9a-v]{26}\b"), "038ftgk5lpn2v7qd4m1c9hs6eo"),
    (re.compile(r"^took( +)\S+$", re.MULTILINE), r"took\g<1>9ms"),
    (re.compile(r"^STEP +USES .*?\n\n", re.MULTILINE | re.DOTALL), "(its steps over time)\n\n"),
]


def _ports_of_our_own(arguments: tuple[str, ...]) -> list[str]:
    """Return arguments with free ports, where they name none."""
    given = list(arguments)
    for flag in ("--listen", "--http"):
        if flag not in given:
            given += [flag, "127.0.0.1:0"]
    return given


def _rights_bind() -> list[str]:
    """Return what runs a command so that root, too, may only read and write what it is allowed to."""
    if os.geteuid() != 0:
        return []
    return [require_tool("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]


def _quoted(arguments: tuple[str, ...]) -> str:
    return " ".join(f"'{item}'" if re.search(r"[^\w./:=,-]", item) or not item else item for item in arguments)
