"""What of lupa is used: a list so short that a reader can check it. The rest of it has crashed or hung for us."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hostd.lua.sandbox

ROOM = Path(hostd.lua.sandbox.__file__).parent
FILES = sorted(ROOM.rglob("*.py"))
ALLOWED = {"LuaRuntime", "LuaError", "LuaMemoryError"}
RUNTIME_METHODS = {"execute", "get_memory_used", "get_max_memory", "set_max_memory", "gccollect", "lua_version"}
FORBIDDEN = {
    "coroutine",
    "send",
    "table_from",
    "table",
    "globals",
    "eval",
    "as_attrgetter",
    "as_itemgetter",
    "unpacks_lua_table",
}
WORKER_IMPORTS = {
    "__future__", "collections.abc", "ctypes", "json", "os", "pathlib", "platform", "resource", "select", "signal",
    "socket", "struct", "sys", "tempfile", "time", "typing", "lupa",
    "hostd.lua", "hostd.lua.frames", "hostd.lua.sandbox",
}  # fmt: skip


def imports(tree: ast.AST) -> set[str]:
    """Return the modules a file imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_sandbox_imports_lupa(file: Path) -> None:
    """No other module of the room can touch a Lua object, so none can misuse one."""
    names = {name.split(".")[0] for name in imports(ast.parse(file.read_text()))}
    assert ("lupa" in names) == (file.name == "sandbox.py")


def test_the_sandbox_uses_the_safe_part_of_lupa_only() -> None:
    """No coroutine, table, iteration, item, callback or string conversion of a Lua object: attributes are on a list."""
    tree = ast.parse((ROOM / "sandbox.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in FORBIDDEN
            owner = ast.unparse(node.value)
            if owner == "lua54":
                assert node.attr in ALLOWED
            if owner in {"runtime", "self._runtime", "_new_runtime()"}:
                assert node.attr in RUNTIME_METHODS
        if isinstance(node, ast.For):
            assert "runtime" not in ast.unparse(node.iter)


def test_the_runtime_is_made_closed() -> None:
    """eval and builtins are off, strings stay bytes, attributes are denied, memory is bounded from the first moment."""
    tree = ast.parse((ROOM / "sandbox.py").read_text())
    makers = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "lua54.LuaRuntime"
    ]
    assert len(makers) == 1
    options = {word.arg: ast.unparse(word.value) for word in makers[0].keywords}
    assert options == {
        "encoding": "None",
        "register_eval": "False",
        "register_builtins": "False",
        "attribute_handlers": "(_deny, _deny)",
        "max_memory": "_PREBOOT_BYTES",
    }


@pytest.mark.parametrize(
    "name", ["zygote_main.py", "worker.py", "sandbox.py", "frames.py", "hardening.py", "seccomp.py"]
)
def test_script_processes_import_the_standard_library_and_lupa_alone(name: str) -> None:
    """What a hostile script could find in its process is this short list."""
    assert imports(ast.parse((ROOM / name).read_text())) <= WORKER_IMPORTS
