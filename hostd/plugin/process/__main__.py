"""`python -m hostd.plugin.process`: one plugin in a process of its own, or a group of them, started by the host."""

from __future__ import annotations

import asyncio
import os
import sys

from hostd.plugin.process.birth import COOKIE, GROUP, BadStartError, Birth, read_births


def main() -> int:
    """Load what the host names, serve it, return the exit code."""
    try:
        births = read_births(sys.argv[1:], os.environ)
    except BadStartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for name in (COOKIE, GROUP):
        os.environ.pop(name, None)  # what the plugin starts is not to be let in
    return asyncio.run(_serve(births))


async def _serve(births: list[Birth]) -> int:
    from hostd.plugin.process.run import serve, serve_together

    code = await (serve(births[0]) if len(births) == 1 else serve_together(births))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of blocking actions may never end


if __name__ == "__main__":
    sys.exit(main())
