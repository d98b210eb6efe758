"""What to catch: the class of a reason, of a kind, or of all."""

from hostd.client import connect_blocking, errors

with connect_blocking() as client:
    try:
        client.register("workflow: broken\nsteps:\n  a: {uses: no.such, needs: b}\n")
    except errors.DocumentInvalid as error:
        for fault in error.fields:
            print(f"line {fault.line}: {fault.path}: {fault.reason} {fault.message}")
    try:
        client.start("nowhere")
    except errors.NotFound as error:  # WorkflowMissing, RunMissing, TriggerMissing, ...
        print(type(error).__name__, error.reason, error.help)
    try:
        list(client.list_runs("colour == 'red'"))
    except errors.HostdError as error:
        print(type(error).__name__, error.message)
    client.register({"workflow": "fails", "steps": {"no": {"uses": "flow.fail", "with": {"message": "on purpose"}}}})
    try:
        client.start("fails").result()
    except errors.RunUnsuccessful as unsuccessful:
        print(unsuccessful.run.state, unsuccessful.run.step("no").error)
