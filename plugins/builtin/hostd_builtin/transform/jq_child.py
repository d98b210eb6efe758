"""Runs one jq program in a process of its own: no hostd, no environment, no files, bounded time and memory.

Reads `{program, args, input, cpu_s, memory_bytes, output_bytes}` as JSON, writes the results as a JSON list.
"""

from __future__ import annotations

import json
import resource
import sys

EXIT_PROGRAM, EXIT_OUTPUT = 3, 4


def main() -> int:
    """Run; exit code 3: the program is wrong or failed (why on stderr), 4: too much output."""
    order = json.loads(sys.stdin.buffer.read())
    import jq

    resource.setrlimit(resource.RLIMIT_CPU, (order["cpu_s"], order["cpu_s"]))
    if sys.platform == "linux":  # elsewhere the system takes no such limit
        resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # `import` and `include` open files: none is left to open
    parts, size = [], 0
    try:
        program = jq.compile(order["program"], args=order["args"])
        for text in program.input_text(order["input"]).text().splitlines():
            parts.append(text)
            size += len(text)
            if size > order["output_bytes"]:
                return EXIT_OUTPUT
    except (ValueError, MemoryError) as error:
        sys.stderr.write(str(error) or type(error).__name__)
        return EXIT_PROGRAM
    sys.stdout.write("[" + ",".join(parts) + "]")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
