"""Case files: what they say is read strictly, run on a host whose time skips, and compared place by place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.testing.cases.finding import case_files, chosen
from hostd.testing.cases.junit import junit_xml
from hostd.testing.cases.matching import differences, matcher_fault
from hostd.testing.cases.reading import read_cases
from hostd.testing.cases.running import CaseResult, run_case
from hostd.testing.cases.schema import cases_schema

ORDER = """
workflow: order
inputs: {type: object, required: [sku], properties: {sku: {type: string}}}
triggers: {door: {uses: cron.every, with: {period: 1h}, input: {sku: "${{ event.data.sku }}"}}}
steps:
  price:
    uses: http.request
    with: {url: "${{ env.SHOP }}/prices/${{ input.sku }}"}
    retry: {max_attempts: 3, initial_interval: 1s, jitter: 0}
    timeout: 30s
  dear: {needs: price, if: steps.price.output.body.usd > 100, uses: flow.wait, with: {duration: 3d}}
  pay:
    needs: [price, dear]
    if: none_failed()
    uses: shop.pay
    with: {usd: "${{ steps.price.output.body.usd }}", token: "${{ secrets.pay_token }}"}
output: {paid: "${{ steps.pay.output }}", at: "${{ now() }}"}
"""

HEAD = """
workflow: order.yaml
env: {SHOP: "https://shop.example"}
secrets: {pay_token: t-123456}
mocks:
  http.request: {returns: {body: {usd: 7}}}
  shop.pay: {returns: yes-indeed}
cases:
"""


def written(folder: Path, cases: str, head: str = HEAD) -> Path:
    """Write the workflow and a case file; return the latter."""
    (folder / "order.yaml").write_text(ORDER)
    file = folder / "order.test.yaml"
    file.write_text(head + cases)
    return file


async def problems(folder: Path, cases: str) -> list[tuple[str, ...]]:
    """Return what came of each case."""
    return [(await run_case(case)).problems for case in read_cases(written(folder, cases))]


PASSING = """
  - name: the cheap is paid at once
    input: {sku: pen}
    expect:
      output: {paid: yes-indeed, at: {$type: text}}
      path: [price, pay]
      steps: {dear: SKIPPED, price: {state: SUCCEEDED, attempts: 1}}
      took: 0s
      calls:
        http.request: 1
        shop.pay: [{usd: 7, token: t-123456}]
  - name: the dear waits three days
    start: 2026-03-28T12:00:00+00:00
    input: {sku: yacht}
    mocks: {steps.price: {returns: {body: {usd: 1000}}, after: 2s}}
    expect: {path: [price, dear, pay], took: 3d2s, output: {$has: {at: "2026-03-31T12:00:02Z"}}}
  - name: a shop that is down is asked again
    input: {sku: pen}
    mocks:
      http.request:
        script:
          - fails: {code: "503", retryable: true}
          - fails: {code: "503", retryable: true, retry_after: 1m}
          - returns: {body: {usd: 7}}
    expect: {took: 61s, steps: {price: {attempts: 3}}}
  - name: a shop that hangs is given up
    input: {sku: pen}
    mocks: {http.request: {hangs: true}}
    expect: {failure: {step: price, reason: ATTEMPT_TIMEOUT, message: {$matches: "30 s"}}, took: 93s}
  - name: what is no order is refused
    input: {sku: 7}
    expect: {refused: INPUT_INVALID}
  - name: an event starts it
    trigger: {name: door, data: {sku: pen}}
    expect: {output: {$has: {paid: yes-indeed}}}
  - name: it can be cancelled while it waits
    input: {sku: yacht}
    mocks: {steps.price: {returns: {body: {usd: 1000}}}}
    at:
      - {after: 1d, cancel: changed my mind}
    expect: {state: CANCELED, took: 1d}
  - name: it still waits after a day
    input: {sku: yacht}
    mocks: {steps.price: {returns: {body: {usd: 1000}}}}
    until: 1d
    expect: {state: WAITING, steps: {dear: WAITING, pay: PENDING}, path: [price, dear], calls: {shop.pay: 0}}
"""


async def test_cases_that_come_as_they_expect(tmp_path: Path) -> None:
    """Waits, retries, timeouts, refusals, triggers and cancels pass, each in virtual time to the millisecond."""
    assert [each for each in await problems(tmp_path, PASSING) if each] == []


FAILING = {
    "output: {paid: no, at: {$any: true}}": 'output.paid: expected "no", got "yes-indeed"',
    "output: {paid: {$matches: ^no}, at: {$any: true}}": "output.paid: expected a text that matches '^no', got",
    "output: {paid: yes-indeed}": 'output.at: "2026-01-01T00:00:00Z" was not expected',
    "output: {paid: yes-indeed, at: {$type: number}}": "output.at: expected a value of type number",
    "path: [price, dear, pay]": "path: expected price, dear, pay; got price, pay (dear is SKIPPED)",
    "path: [price, failure]": "path: expected price, failure; got price, pay (there is no step failure)",
    "took: 1s": "took: expected 1s, got 0s",
    "steps: {price: {attempts: 2}}": "steps.price.attempts: expected 2, got 1",
    "steps: {prize: SUCCEEDED}": "steps.prize: there is no such step; there are price, dear, pay",
    "failure: {step: pay}": "state: expected FAILED, got SUCCEEDED",
    "refused: INPUT_INVALID": "expected to be refused with INPUT_INVALID, but the run started",
    "calls: {shop.pay: 2}": "calls of shop.pay: expected 2, got 1",
    "calls: {shop.pay: [{usd: 8}]}": "calls of shop.pay[0].usd: expected 8, got 7",
}


@pytest.mark.parametrize("expect,problem", FAILING.items())
async def test_what_does_not_come_is_named_with_its_place(tmp_path: Path, expect: str, problem: str) -> None:
    """Each problem says where, what was expected and what came."""
    (found,) = await problems(tmp_path, f"  - {{name: it, input: {{sku: pen}}, expect: {{{expect}}}}}\n")
    assert any(each.startswith(problem) for each in found), found


async def test_what_cannot_be_done_meanwhile_is_a_problem(tmp_path: Path) -> None:
    """A cancel that comes too late is not passed over, though the run ended as expected."""
    (found,) = await problems(tmp_path, "  - {name: it, input: {sku: pen}, at: [{after: 1h, cancel: late}]}\n")
    assert found[0].startswith("at 1h: RUN_FINAL"), found


async def test_what_is_not_mocked_fails_the_case_and_says_so(tmp_path: Path) -> None:
    """A case never reaches outside on its own: the failure names the action and the code."""
    file = written(tmp_path, "  - {name: it, input: {sku: pen}}\n", HEAD.replace("  http.request:", "  mail.send:"))
    (case,) = read_cases(file)
    found = (await run_case(case)).problems
    assert found[0] == "state: expected SUCCEEDED, got FAILED"
    assert found[1].startswith(
        "failed: price: ACTION_FAILED NOT_MOCKED: http.request reaches outside and is not mocked"
    )


async def test_a_workflow_with_mistakes_fails_the_case_with_its_lines(tmp_path: Path) -> None:
    """The document's own mistakes are among the problems, each with file, line and column."""
    file = written(tmp_path, "  - {name: it}\n")
    (tmp_path / "order.yaml").write_text("workflow: order\nsteps:\n  a: {uses: nothing.here}\n")
    (case,) = read_cases(file)
    found = (await run_case(case)).problems
    assert found[0].startswith("DOCUMENT_INVALID") and f"{tmp_path / 'order.yaml'}:3:" in found[0]


MISTAKES = {
    "  - {nam: it}": ("cases[0].nam", "KEY_UNKNOWN"),
    "  - {input: {}}": ("cases[0].name", "KEY_MISSING"),
    "  - {name: it, mocks: {steps.price: {returns: 1, hangs: true}}}": ("cases[0].mocks", "VALUE_INVALID"),
    "  - {name: it, mocks: {price: {returns: 1}}}": ("cases[0].mocks.price", "NAME_INVALID"),
    "  - {name: it, mocks: {steps.price: {script: []}}}": ("cases[0].mocks", "VALUE_INVALID"),
    "  - {name: it, at: [{after: 1d}]}": ("cases[0].at[0]", "VALUE_INVALID"),
    "  - {name: it, at: [{after: soon, cancel: x}]}": ("cases[0].at[0].after", "VALUE_INVALID"),
    "  - {name: it, start: 2026-01-01}": ("cases[0].start", "VALUE_INVALID"),
    "  - {name: it, expect: {state: SUCEEDED}}": ("cases[0].expect.state", "VALUE_INVALID"),
    "  - {name: it, expect: {steps: {price: DONE}}}": ("cases[0].expect.steps.price", "VALUE_INVALID"),
    "  - {name: it, expect: {output: {$matches: '('}}}": ("cases[0].expect.output", "VALUE_INVALID"),
    "  - {name: it, expect: {output: {$like: 1}}}": ("cases[0].expect.output", "VALUE_INVALID"),
    "  - {name: it, input: {}, trigger: {name: door}}": ("cases[0].input", "VALUE_INVALID"),
    "  - {name: it}\n  - {name: it}": ("cases", "VALUE_INVALID"),
    "  []": ("cases", "VALUE_INVALID"),
    "  - {name: it\n": ("", "SYNTAX_INVALID"),
}


@pytest.mark.parametrize("cases,fault", MISTAKES.items())
def test_mistakes_in_a_case_file_are_told_with_their_place(tmp_path: Path, cases: str, fault: tuple[str, str]) -> None:
    """Nothing unknown is ignored: each mistake has file, line, path and reason."""
    file = written(tmp_path, cases)
    with pytest.raises(HostdError) as refused:
        read_cases(file)
    found = refused.value.violations
    assert any(each.path.startswith(fault[0]) and each.reason == fault[1] for each in found), found
    assert all(each.file == str(file) and each.line > 0 for each in found)


def test_a_workflow_is_no_case_file(tmp_path: Path) -> None:
    """One mistake says so, and names the file that is meant, instead of one for each of its keys."""
    file = tmp_path / "order.yaml"
    file.write_text("workflow: order\nversion: 1.0.0\nsteps: {a: {uses: flow.pass}}\noutput: 1\n")
    with pytest.raises(HostdError) as refused:
        read_cases(file)
    (fault,) = refused.value.violations
    assert "this is a workflow" in fault.message and f"{tmp_path / 'order.test.yaml'}" in fault.suggestion


def test_case_files_are_found_and_chosen(tmp_path: Path) -> None:
    """Folders are looked through but for hidden ones; words choose by file and name; what is not there is told."""
    (tmp_path / "deep" / ".git").mkdir(parents=True)
    (tmp_path / "deep" / ".git" / "x.test.yaml").touch()
    (tmp_path / "deep" / "b.test.yml").touch()
    (tmp_path / "deep" / "b.yaml").touch()
    (tmp_path / "a.test.yaml").touch()
    assert [file.name for file in case_files([tmp_path])] == ["a.test.yaml", "b.test.yml"]
    cases = read_cases(written(tmp_path, PASSING))
    assert [case.name for case in chosen(cases, "order THREE days")] == ["the dear waits three days"]
    with pytest.raises(HostdError, match="is not there"):
        case_files([tmp_path / "none"])


@pytest.mark.parametrize(
    "expected,actual,count",
    [
        (1, True, 1), (True, 1, 1), (1, 1.0, 0), (None, None, 0), ({"$any": True}, None, 1), ({"$any": True}, 0, 0),
        ({"$has": [{"a": 1}]}, [{"b": 2}, {"a": 1}], 0), ({"$has": [3]}, [1, 2], 1), ({"$type": "number"}, True, 1),
        ([1, {"$any": True}], [1, 2], 0), ([1], [1, 2], 1), ({"a": {"$has": {"b": 1}}}, {"a": {"b": 1, "c": 2}}, 0),
        ({"$has": {"a": 1}}, "text", 1), ({}, [], 1),
    ],
)  # fmt: skip
def test_values_are_compared_as_json(expected: Any, actual: Any, count: int) -> None:
    """true is no 1; matchers stand for what will do."""
    assert matcher_fault(expected) == ""
    assert len(list(differences(expected, actual, "it"))) == count


def test_junit_and_the_schema_hold_what_they_are_made_of(tmp_path: Path) -> None:
    """Characters that XML refuses are replaced; every key of a case is in the schema."""
    case = read_cases(written(tmp_path, "  - {name: it}\n"))[0]
    text = junit_xml([CaseResult(case=case, problems=("bad \x00 byte",))], []).decode()
    assert "bad ? byte" in text and 'failures="1"' in text
    assert {"name", "input", "mocks", "at", "expect"} <= cases_schema()["$defs"]["case"]["properties"].keys()


async def test_a_signal_that_no_step_takes_is_noted(tmp_path: Path) -> None:
    """The case passes where the workflow declares it, and says that nothing came of it; another name is refused."""
    (tmp_path / "w.yaml").write_text(
        "workflow: w\nsignals: {PAY: {type: object}}\nsteps: {wait: {uses: flow.wait, with: {duration: 1h}}}\n"
    )
    file = tmp_path / "w.test.yaml"
    file.write_text(
        "workflow: w.yaml\ncases:\n"
        "  - {name: kept, at: [{after: 1m, signal: PAY, data: {}}]}\n"
        "  - {name: refused, at: [{after: 1m, signal: PAID}]}\n"
        "  - {name: none}\n"
    )
    kept, refused, none = [await run_case(case) for case in read_cases(file)]
    assert kept.passed
    assert "keeps the signal PAY" in kept.notes[0]
    assert "SIGNAL_UNKNOWN" in refused.problems[0]
    assert (none.notes, refused.notes) == ((), ())


async def test_an_unknown_action_is_told_with_the_ways_to_bring_it(tmp_path: Path) -> None:
    """Once, with the keys `plugins` and `mocks`."""
    (tmp_path / "w.yaml").write_text("workflow: w\nsteps: {say: {uses: greeter.say}}\n")
    file = tmp_path / "w.test.yaml"
    file.write_text("workflow: w.yaml\ncases: [{name: one}]\n")
    told = (await run_case(read_cases(file)[0])).problems
    assert len(told) == 2
    assert "greeter.say" in told[0]
    assert "plugins:" in told[1] and "mocks:" in told[1]


ACME = '''
from hostd.plugin import Action, Field, Options, Registry, hookimpl

class Marks(Options):
    points: int = Field(description="Of a hundred.")

class Grade(Action[Marks]):
    """Says how good it is."""

    id, since, stability, effects = "acme.grade", "0.1", "stable", "none"

    async def run(self, ctx, options):
        return "good" if options.points > 50 else "bad"

class Send(Action[Marks]):
    """Tells somebody."""

    id, since, stability, effects = "acme.send", "0.1", "stable", "idempotent"

    async def run(self, ctx, options):
        return "sent"

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Grade)
    registry.action(Send)
'''


async def test_actions_of_a_named_plugin_run_where_they_declare_no_effects(tmp_path: Path) -> None:
    """`effects = "none"` runs as it is; another fails with the line to write, and runs once that is written."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").write_text(ACME)
    (tmp_path / "w.yaml").write_text(
        "workflow: w\nsteps:\n  grade: {uses: acme.grade, with: {points: 60}}\n"
        "  send: {needs: grade, uses: acme.send, with: {points: 60}}\noutput: ${{ steps.grade.output }}\n"
    )
    file = tmp_path / "w.test.yaml"
    text = "workflow: w.yaml\nplugins: [acme]\ncases: [{name: it, expect: {output: good}}]\n"

    file.write_text(text)
    (case,) = read_cases(file)
    found = (await run_case(case)).problems
    assert any("send: ACTION_FAILED NOT_MOCKED" in line and "`allow: [acme.send]`" in line for line in found), found
    assert not any("grade" in line for line in found)

    file.write_text(text + "allow: [acme.send]\n")
    (case,) = read_cases(file)
    assert (await run_case(case)).problems == ()
