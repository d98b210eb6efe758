"""Python code from the proto files: `make proto` runs this with the pinned tools, from an environment of their own.

    python proto/generate.py [--out FOLDER]

Without --out the repository itself is the target, so that `hostd.v1` is both the proto package and the Python one, and
reasons that errors/reasons.py has gained are first given the next numbers in reason.proto, and classes in the client.
"""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
ROOT = PROTO.parent
REASON_FILE = PROTO / "hostd/v1/reason.proto"


def add_reasons() -> None:
    """Append reasons that reason.proto lacks, and bring its comments up to date; numbers never change."""
    sys.path.insert(0, str(ROOT))
    from hostd.errors.reasons import REASONS  # standard library only, so it imports without hostd's dependencies

    text = REASON_FILE.read_text(encoding="utf-8")
    head, _, body = text.partition("  REASON_UNSPECIFIED = 0;\n")
    numbers = {name: int(number) for name, number in re.findall(r"REASON_(\w+) = (\d+);", body)}
    gone = numbers.keys() - REASONS.keys()
    if gone:
        raise SystemExit(f"reason.proto has what errors/reasons.py lost: {sorted(gone)}; a published reason stays")
    for name in REASONS:
        numbers.setdefault(name, max(numbers.values()) + 1)
    lines = [
        f"  // {REASONS[name].what}\n  REASON_{name} = {number};\n"
        for name, number in sorted(numbers.items(), key=lambda item: item[1])
    ]
    REASON_FILE.write_text(f"{head}  REASON_UNSPECIFIED = 0;\n{''.join(lines)}}}\n", encoding="utf-8")


def generate(out: Path) -> None:
    """Write messages, their stubs and, for files with services, the gRPC code with its stubs."""
    files = sorted(file.relative_to(PROTO).as_posix() for file in PROTO.rglob("*.proto"))
    services = [file for file in files if re.search(r"^service ", (PROTO / file).read_text(encoding="utf-8"), re.M)]
    _run(["--python_out", str(out), "--pyi_out", str(out), *files])
    if services:
        stubs = Path(sys.executable).parent / "protoc-gen-mypy_grpc"  # beside this Python, wherever PATH points
        plugin = f"--plugin=protoc-gen-mypy_grpc={stubs}"
        _run([plugin, "--grpc_python_out", str(out), "--mypy_grpc_out", f"quiet:{out}", *services])


def _run(arguments: list[str]) -> None:
    well_known = Path(protoc.__file__).parent / "_proto"
    if protoc.main(["protoc", f"--proto_path={PROTO}", f"--proto_path={well_known}", *arguments]):
        raise SystemExit(1)


def main() -> None:
    """Read the command line and generate."""
    parser = argparse.ArgumentParser(description="Generate Python code from proto/.")
    parser.add_argument("--out", type=Path, help="target folder; the repository when left out")
    out = parser.parse_args().out
    if out is None:
        add_reasons()
        runpy.run_path(str(ROOT / "clients/python/error_classes.py"), run_name="__main__")
    generate(out or ROOT)


if __name__ == "__main__":
    main()
