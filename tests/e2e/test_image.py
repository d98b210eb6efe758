"""The container image: small rights, a health check, and a run that goes on after kill -9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from containers import ISOLATED, Containers
from processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

WORKFLOW = """\
workflow: lasting
steps:
  first: {uses: lua.script, with: {script: "return 6 * 7"}}
  pause: {needs: first, uses: flow.wait, with: {duration: 5s}}
  last: {needs: [first, pause], uses: flow.pass, with: {output: "${{ steps.first.output }}"}}
output: ${{ steps.last.output }}
"""


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Return a running container of an image built from this checkout."""
    containers = Containers(tmp_path_factory.mktemp("image"))
    try:
        containers.build()
        containers.run(*ISOLATED)
        wait_for(containers)
        yield containers
    finally:
        containers.close()


def wait_for(containers: Containers) -> None:
    """Wait until the daemon serves."""
    wait_until(lambda: containers.inside("hostd", "health").returncode == 0, "the daemon in the container")


def shown(containers: Containers, run_id: str) -> Any:
    """Return a run as the command line shows it."""
    return containers.hostd("runs", "show", run_id)


def test_the_image_holds_no_rights_and_no_tools(containers: Containers) -> None:
    """It runs as 65532, keeps nothing of the machine that built it, and has no pip; only its data folder is its own."""
    config = containers.config()["Config"]
    assert config["User"] == "65532:65532"
    assert not [each for each in config["Env"] if each.startswith(("PIP_", "SSL_"))]
    assert containers.inside("id", "-u").stdout.split() == ["65532"]
    assert containers.inside("python", "-m", "pip", "--version").returncode != 0
    assert containers.inside("stat", "-c", "%a %u", "/var/lib/hostd").stdout.split() == ["700", "65532"]
    assert containers.inside("touch", "/opt/hostd/x").returncode != 0


def test_the_health_check_tells_what_is(containers: Containers) -> None:
    """The image's own check succeeds while the daemon serves, whatever it listens with."""
    assert containers.config()["Healthcheck"]["Test"] == ["CMD", "hostd", "health"]
    containers.ok("podman", "healthcheck", "run", containers.name)
    assert containers.inside("hostd", "health").stdout.strip() == "SERVING"


def test_a_run_goes_on_after_kill_9(containers: Containers) -> None:
    """The container is killed in the middle of a run; started again on its volume it ends the run."""
    containers.put("lasting.yaml", WORKFLOW)
    containers.hostd("workflow", "register", "/var/lib/hostd/lasting.yaml")
    run_id = containers.hostd("runs", "start", "lasting")["run_id"]
    wait_until(lambda: shown(containers, run_id)["steps"][0]["state"] == "SUCCEEDED", "the first step")
    containers.ok("podman", "kill", "--signal", "KILL", containers.name)
    containers.ok("podman", "wait", containers.name)
    containers.ok("podman", "start", containers.name)
    wait_for(containers)
    wait_until(lambda: shown(containers, run_id)["state"] == "SUCCEEDED", "the run's end")
    assert shown(containers, run_id)["output"] == 42
