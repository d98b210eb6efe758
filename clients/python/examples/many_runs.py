"""asyncio: many starts in one message, and the end of each as it comes."""

import asyncio

from hostd.client import RunHandle, Start, connect

DOCUMENT = """
workflow: square
steps:
  rest: {uses: flow.wait, with: {duration: 100ms}}
output: ${{ input.n * input.n }}
"""


async def main() -> None:
    """Start twenty runs, and print the end of each as it comes."""
    async with connect() as client:
        await client.register(DOCUMENT)
        runs = await client.start_many(Start("square", {"n": n}) for n in range(20))
        async with asyncio.TaskGroup() as group:
            for run in runs:
                if isinstance(run, RunHandle):  # else it is the error that refused this one
                    group.create_task(tell(run))


async def tell(run: RunHandle) -> None:
    """Print what a run made."""
    ended = await run.wait()
    print(ended.input, ended.output, ended.end_time)


asyncio.run(main())
