"""The container image, built from this checkout and run where nothing but buildah, podman and runc is needed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from requires import lacking, require_tool

ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/python:3.11-slim"
CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
"""
CERTIFICATES = Path("/etc/ssl/certs")
ISOLATED = ("--network", "none", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")


class Containers:
    """One image and the containers of a test, all gone after it."""

    def __init__(self, folder: Path) -> None:
        self.tools = {name: require_tool(name) for name in ("buildah", "podman", "runc")}
        self.name = f"hostd-test-{os.getpid()}"
        self.folder = folder
        (folder / "containers.conf").write_text(CONFIG)
        self.env = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "STORAGE_DRIVER": os.environ.get("STORAGE_DRIVER", "vfs"),
        }

    def build(self) -> None:
        """Build the image. Skips where its base cannot be had."""
        if self._call("buildah", "inspect", "--type", "image", BASE).returncode != 0:
            pulled = self._call("buildah", "pull", BASE)
            if pulled.returncode != 0:
                lacking(f"{BASE} is not here and cannot be pulled: {pulled.stderr.strip()[-200:]}")
        (self.folder / "pip.conf").write_text(_pip_conf())
        mounted = [self.folder / "pip.conf", CERTIFICATES, *_local_wheels()]
        volumes = [f"--volume={path}:{_inside(path)}:ro" for path in mounted if path.exists()]
        how = ["--isolation=chroot", "--network=host", "--pull-never", "--format=docker"]
        self.ok("buildah", "bud", *how, *volumes, "--tag", self.name, str(ROOT), seconds=900)

    def run(self, *flags: str, command: tuple[str, ...] = ()) -> None:
        """Start the container, with a volume of its own for the data folder."""
        volume = f"{self.name}:/var/lib/hostd"
        self.ok("podman", "run", "--detach", "--name", self.name, "--volume", volume, *flags, self.name, *command)

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside the container."""
        return self._call("podman", "exec", self.name, *command)

    def hostd(self, *arguments: str) -> Any:
        """Run one of hostd's commands inside; return the JSON it prints."""
        return json.loads(self.ok("podman", "exec", self.name, "hostd", *arguments, "-o", "json"))

    def put(self, name: str, text: str) -> None:
        """Write a file into the data folder."""
        command = ["podman", "exec", "--interactive", self.name, "sh", "-c", f"cat > /var/lib/hostd/{name}"]
        subprocess.run(command, input=text, text=True, env=self.env, check=True, timeout=120)

    def config(self) -> dict[str, Any]:
        """Return what the image says about itself."""
        config: dict[str, Any] = json.loads(self.ok("podman", "image", "inspect", self.name))[0]
        return config

    def logs(self) -> str:
        """Return what the daemon wrote."""
        done = self._call("podman", "logs", self.name)
        return done.stdout + done.stderr

    def ok(self, *command: str, seconds: float = 60) -> str:
        """Run a tool that must succeed; return what it prints."""
        done = self._call(*command, seconds=seconds)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def close(self) -> None:
        """Remove the container, its volume and the image."""
        self._call("podman", "rm", "--force", self.name)
        self._call("podman", "volume", "rm", "--force", self.name)
        self._call("podman", "rmi", "--force", self.name)

    def _call(self, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=seconds)


def _pip_conf() -> str:
    """Return this machine's PIP_* variables as the file that pip reads, so that none is kept in the image."""
    settings = {name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name[:4] == "PIP_"}
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def _local_wheels() -> list[Path]:
    return [Path(link) for link in os.environ.get("PIP_FIND_LINKS", "").split() if link.startswith("/")]


def _inside(path: Path) -> Path:
    return Path("/etc/pip.conf") if path.name == "pip.conf" else path
