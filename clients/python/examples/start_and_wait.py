"""Register a workflow, start a run of it, wait for its end, look at what it did."""

from hostd.client import connect_blocking

DOCUMENT = """
workflow: add
inputs: {type: object, required: [a, b], properties: {a: {type: integer}, b: {type: integer}}}
steps:
  say: {uses: log.write, with: {message: "${{ input.a }} and ${{ input.b }}"}}
output: ${{ input.a + input.b }}
"""

with connect_blocking() as client:
    registered = client.register(DOCUMENT)
    print(registered.workflow.workflow, "is new" if registered.created else "was there")
    run = client.start("add", {"a": 1, "b": 2}, labels={"example": "add"})
    print("the sum is", run.result())
    for step in run.get().steps:
        print(step.id, step.uses, step.state)
    for line in run.logs().lines:
        print(line.step, line.text)
