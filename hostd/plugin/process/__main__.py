"""`python -m hostd.plugin.process`: one plugin in a process of its own, started by the host."""

from __future__ import annotations

import asyncio
import os
import sys

from hostd.plugin.process.birth import COOKIE, BadStartError, Birth, read_birth


def main() -> int:
    """Load the plugin, serve it, return the exit code."""
    try:
        birth = read_birth(sys.argv[1:], os.environ)
    except BadStartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.environ.pop(COOKIE, None)  # what the plugin starts is not to be let in
    return asyncio.run(_serve(birth))


async def _serve(birth: Birth) -> int:
    from hostd.plugin.process.run import serve

    code = await serve(birth)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of blocking actions may never end


if __name__ == "__main__":
    sys.exit(main())
