"""Documents and expressions without a daemon."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for

GOOD = """\
workflow: double
version: 1.0.0
inputs: {type: object, properties: {n: {type: integer, default: 3}}}
steps:
  twice: {uses: flow.pass, with: {output: "${{ input.n * 2 }}"}}
output: ${{ steps.twice.output }}
"""
BAD = """\
workflow: Double
steps:
  twice:
    uses: http.requst
    nedes: once
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    """Return the path of a right document."""
    (tmp_path / "good.yaml").write_text(GOOD)
    return str(tmp_path / "good.yaml")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """Return the path of a wrong document."""
    (tmp_path / "bad.yaml").write_text(BAD)
    return str(tmp_path / "bad.yaml")


def test_every_mistake_is_a_line_with_its_place(hostd: Any, good: str, bad: str) -> None:
    """FILE:LINE:COL path: REASON message (suggestion), all files at once, exit code 2."""
    code, out, err = hostd("validate", good, bad)

    assert code == 2
    assert err.startswith(
        "only built-in and installed plugins are known here: `--plugins DIR` knows those in the folders"
    )
    assert [line.split(" ")[:3] for line in out.splitlines()] == [
        [f"{bad}:1:11", "workflow:", "NAME_INVALID"],
        [f"{bad}:4:11", "steps.twice.uses:", "ACTION_UNKNOWN"],
        [f"{bad}:5:5", "steps.twice.nedes:", "KEY_UNKNOWN"],
    ]
    assert "(did you mean http.request?)" in out


@pytest.mark.parametrize(
    ("uses", "options", "told"),
    [
        ("shell.run", "command: ls -la", "(write [ls, -la])"),
        ("shell.run", "command: \"ls 'a b'\"", "(write [a, b, ...])"),
        ("http.request", "url: x, expect_status: 200", "(write [200])"),
        ("http.request", "url: x, method: get", "(write GET)"),
        ("http.request", "url: x, method: PSOT", "(did you mean POST?)"),
        ("http.request", "url: x, timeout: 5", "(write 5s for seconds)"),
        ("log.write", "message: 5", '(write "5" in quotes)'),
    ],
)
def test_an_option_of_another_kind_is_shown_as_it_is_written(
    hostd: Any, tmp_path: Path, uses: str, options: str, told: str
) -> None:
    """A single value for a list, a word in other letters, a number without its unit."""
    (tmp_path / "w.yaml").write_text(f"workflow: w\nsteps:\n  a: {{uses: {uses}, with: {{{options}}}}}\n")

    code, out, _ = hostd("validate", str(tmp_path / "w.yaml"))

    assert code == 2
    assert told in out


def test_documents_are_checked_with_the_plugins_of_a_folder(hostd: Any, tmp_path: Path) -> None:
    """--plugins knows what they serve, in Python and in Lua, with their options; one that does not load is named."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name, runtime in (("py-feed", "python"), ("lua-feed", "lua")):
        assert hostd("plugin", "new", name, "--runtime", runtime, "--dir", str(plugins)).code == 0
    file = tmp_path / "w.yaml"
    file.write_text(
        "workflow: w\nsteps:\n"
        "  a: {uses: py_feed.say, with: {name: ada}}\n"
        "  b: {uses: lua_feed.say, with: {nme: ada}}\n"
    )

    code, out, err = hostd("validate", str(file), "--plugins", str(plugins))
    assert (code, err) == (2, "")
    assert out.splitlines()[-1] == (
        f"{file}:4:34 steps.b.with.nme: OPTION_INVALID lua_feed.say takes no option nme (did you mean name?)"
    )
    file.write_text(file.read_text().replace("nme", "name"))
    assert hostd("validate", str(file), "--plugins", str(plugins)) == (0, "", "")
    assert "ACTION_UNKNOWN" in hostd("validate", str(file)).out

    (plugins / "py-feed" / "hostd_py_feed" / "__init__.py").write_text("import nowhere_to_be_found\n")
    broken = hostd("validate", str(file), "--plugins", str(plugins))
    assert broken.code == 2
    assert "steps.a.uses: ACTION_UNKNOWN " in broken.out
    assert broken.err.startswith("plugin py-feed does not load: PLUGIN_FAILED: ModuleNotFoundError: ")


def test_a_folder_of_plugins_that_is_none_is_told(hostd: Any, good: str, tmp_path: Path) -> None:
    """One that is not there, and a plugin in the place of the folder that it lies in."""
    assert hostd("plugin", "new", "py-feed", "--dir", str(tmp_path)).code == 0

    for command in ("validate", "run"):
        missing = hostd(command, good, "--plugins", str(tmp_path / "no"))
        inner = hostd(command, good, "--plugins", str(tmp_path / "py-feed"))
        assert missing.code == inner.code == 2
        assert "--plugins: there is no folder" in missing.err
        assert inner.err.rstrip().endswith(f"is a plugin; name the folder that it lies in, {tmp_path}")


def test_right_documents_say_nothing(hostd: Any, good: str) -> None:
    """Exit code 0."""
    assert hostd("validate", good) == (0, "", "")


def test_mistakes_as_json_and_from_standard_input(hostd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is standard input; a mistake is an object with the proto's names."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))

    code, out, _ = hostd("validate", "-", "-o", "json")

    first = json.loads(out.splitlines()[0])
    assert code == 2
    assert (first["file"], first["line"], first["column"], first["path"]) == ("<stdin>", 1, 11, "workflow")


def test_a_file_that_is_not_there_hides_no_mistakes(hostd: Any, bad: str) -> None:
    """The other files are checked all the same."""
    code, out, err = hostd("validate", "/nowhere/x.yaml", bad)

    assert code == 2
    assert len(out.splitlines()) == 3
    assert "/nowhere/x.yaml cannot be read: there is no folder /nowhere" in err


def test_run_prints_state_output_and_failure(hostd: Any, good: str) -> None:
    """One line of JSON, exit code 0, defaults of the input applied."""
    code, out, err = hostd("run", good, "--input", '{"n": 21}', "-o", "json")
    assert (code, err) == (0, "")
    assert out == '{"state":"SUCCEEDED","output":42,"failure":null}\n'
    assert json.loads(hostd("run", good, "-o", "json").out)["output"] == 6


@pytest.mark.parametrize(
    "steps,code,state,reason",
    [
        ("{a: {uses: flow.fail, with: {message: no}}}", 1, "FAILED", "STEP_FAILED"),
        ("{a: {uses: flow.end, with: {state: CANCELED, message: no}}}", 12, "CANCELED", "FLOW_END"),
        ("{a: {uses: flow.wait, with: {duration: 1h}}}\ntimeout: 50ms", 9, "TIMED_OUT", "RUN_TIMEOUT"),
    ],
)
def test_only_success_exits_with_0(hostd: Any, tmp_path: Path, steps: str, code: int, state: str, reason: str) -> None:
    """The other outcomes have codes of their own, and the failure says why."""
    file = tmp_path / "w.yaml"
    file.write_text(f"workflow: w\nsteps: {steps}\n")

    done = hostd("run", str(file), "-o", "json")

    ended = json.loads(done.out)
    assert done.code == code
    assert (ended["state"], ended["output"], ended["failure"]["reason"]) == (state, None, reason)


def test_a_large_output_is_printed_whole(hostd: Any, tmp_path: Path) -> None:
    """Nobody could ask for the blob when the process is gone."""
    file = tmp_path / "w.yaml"
    file.write_text(
        "workflow: w\nsteps: {a: {uses: flow.pass, with: {output: '${{ input.t }}'}}}\noutput: ${{ steps.a.output }}\n"
    )
    (tmp_path / "in.json").write_text(json.dumps({"t": "x" * 100_000}))

    done = hostd("run", str(file), "--input", f"@{tmp_path}/in.json", "-o", "json")

    assert len(json.loads(done.out)["output"]) == 100_000


def test_what_cannot_run_says_why(hostd: Any, good: str, bad: str) -> None:
    """A wrong document lists its mistakes, a wrong input its fields; nothing is printed as a result."""
    code, out, err = hostd("run", bad)
    assert (code, out) == (2, "")
    assert err.count(f"  {bad}:") == 3

    code, out, err = hostd("run", good, "--input", '{"n": "x"}')
    assert (code, out) == (2, "")
    assert err.startswith("error: INPUT_INVALID")


def test_expressions(hostd: Any, tmp_path: Path) -> None:
    """Bare ones keep their type, texts are rendered, a context gives the roots."""
    (tmp_path / "c.json").write_text('{"input": {"n": 2}, "steps": {"a": {"output": [1, 2]}}}')
    context = ["--context", f"{tmp_path}/c.json"]

    assert hostd("expr", "1 + 1") == (0, "2\n", "")
    assert hostd("expr", "input.n * 1.5", *context).out == "3\n"
    assert hostd("expr", "steps.a.output", *context).out == "[1,2]\n"
    assert hostd("expr", "n is ${{ input.n }}", *context).out == '"n is 2"\n'
    assert hostd("expr", "1 +").code == 2
    failed = hostd("expr", "input.missing", *context)
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith("error: EXPRESSION_FAILED")


def test_the_schema_is_a_schema(hostd: Any) -> None:
    """Editors can use it: it takes a right document and refuses a wrong one."""
    schema = json.loads(hostd("schema", "workflow").out)

    validator = validator_for(schema)
    assert validator.is_valid({"workflow": "w", "steps": {"a": {"uses": "flow.pass"}}})
    assert not validator.is_valid({"workflow": "w", "stops": {}})
