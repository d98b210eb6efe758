"""A secret reaches the action and nothing that is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lab import Lab, of_kind

from hostd.model.records import AttemptFailed, AttemptSucceeded
from hostd.model.redaction import forms
from hostd.model.states import RunState

SECRET = 'tok/en+"7 äß&\\42'
DOCUMENT = """
workflow: w
steps:
  echo: {uses: mock.echo, with: {value: {plain: "${{ secrets.token }}", joined: "Bearer ${{ secrets.token }}"}}}
  log: {uses: log.write, with: {message: "calling with ${{ secrets.token }}"}}
  fail:
    uses: mock.fail
    with:
      message: "denied for ${{ secrets.token }}"
      code: "${{ secrets.token }}"
      details: {at: "${{ secrets.token }}"}
handlers:
  failure: {uses: mock.echo, with: {value: "${{ failure.message }}"}}
"""


async def test_no_form_of_a_secret_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journal, logs and errors are searched byte by byte; the action had the value."""
    monkeypatch.setenv("HOSTD_SECRET_TOKEN", SECRET)
    lab = await Lab(tmp_path / "data").open()
    seen: list[object] = []
    shown: list[str] = []
    echo = lab.core.host.registry.actions["mock.echo"].instance
    run_echo = echo.run

    async def spy(ctx: object, options: object) -> object:
        seen.append(options.value)  # type: ignore[attr-defined]
        shown.append(repr(ctx))
        return await run_echo(ctx, options)

    monkeypatch.setattr(echo, "run", spy)
    row, records = await lab.run(DOCUMENT)
    assert len(shown) == 2 and not any("tok/en" in text for text in shown)
    await lab.close()

    assert row.state == RunState.FAILED
    assert {"plain": SECRET, "joined": f"Bearer {SECRET}"} in seen
    assert b"***" in of_kind(records, AttemptSucceeded)[0].output
    assert "denied for ***" in of_kind(records, AttemptFailed)[0].failure.message

    def search() -> list[str]:
        found = []
        for file in (path for path in (tmp_path / "data").rglob("*") if path.is_file()):
            data = file.read_bytes()
            found += [f"{file.name}: {form}" for form in forms(SECRET) if form.encode() in data]
        return found

    assert await asyncio.to_thread(search) == []


async def test_a_missing_secret_fails_the_step_by_name(lab: Lab) -> None:
    """SECRET_MISSING names the secret and what to set."""
    row, records = await lab.run('workflow: w\nsteps:\n  a: {uses: mock.echo, with: {value: "${{ secrets.nobody }}"}}')

    assert row.reason == "SECRET_MISSING"
    assert "nobody" in of_kind(records, AttemptFailed)[0].failure.message


async def test_a_triggers_secret_is_in_no_event_and_no_message(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that show the trigger's secret are kept without it, and so is why it ended."""
    monkeypatch.setenv("HOSTD_SECRET_TOKEN", SECRET)
    await lab.register(
        "workflow: w\ntriggers:\n  t:\n    uses: mock.emit\n"
        '    with: {data: {key: "${{ secrets.token }}"}, then: end}\n'
        '    input: {got: "${{ event.data.key }}"}\nsteps:\n  a: {uses: mock.noop}'
    )
    await lab.core.triggers.start()
    await lab.until(lambda: lab.runs() and lab.trigger("w", "t").state == "ENDED")

    [(_, _, event)] = lab.core.journal.events("default")
    assert b"***" in event.body
    assert not any(form.encode() in event.body for form in forms(SECRET))
