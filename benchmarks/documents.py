"""The workflows that are measured."""

from __future__ import annotations


def chain(steps: int) -> bytes:
    """Return `chain<steps>`: no-op steps, each needing the one before."""
    lines = [f"workflow: chain{steps}", "steps:"]
    for number in range(steps):
        needs = f", needs: s{number - 1:03d}" if number else ""
        lines.append(f"  s{number:03d}: {{uses: mock.noop{needs}}}")
    return "\n".join(lines).encode()


def halfway() -> bytes:
    """Return `halfway`: ten steps, five of which answer with three keys; the sixth waits for an hour."""
    lines = ["workflow: halfway", "steps:"]
    for number in range(10):
        needs = f", needs: s{number - 1:03d}" if number else ""
        if number == 5:
            step = f"uses: flow.wait, with: {{duration: 1h}}{needs}"
        else:
            step = f"uses: mock.echo, with: {{value: {{id: {number}, name: step, done: true}}}}{needs}"
        lines.append(f"  s{number:03d}: {{{step}}}")
    return "\n".join(lines).encode()


def instant() -> bytes:
    """Return `instant`: one step that the engine does itself, so that starting the run is all there is."""
    return b"workflow: instant\nsteps:\n  only: {uses: flow.pass}\n"


def chain_and_wait(steps: int) -> bytes:
    """Return `wait<steps>`: a chain of no-op steps, then a wait of an hour."""
    lines = chain(steps).decode().replace(f"workflow: chain{steps}", f"workflow: wait{steps}")
    return f"{lines}\n  last: {{uses: flow.wait, with: {{duration: 1h}}, needs: s{steps - 1:03d}}}".encode()


def lua_chain(steps: int) -> bytes:
    """Return `lua<steps>`: scripts that return a number, each needing the one before."""
    lines = [f"workflow: lua{steps}", "steps:"]
    for number in range(steps):
        needs = f", needs: s{number - 1:03d}" if number else ""
        lines.append(f'  s{number:03d}: {{uses: lua.script, with: {{script: "{TRIVIAL}"}}{needs}}}')
    return "\n".join(lines).encode()


TRIVIAL = "return 1"
