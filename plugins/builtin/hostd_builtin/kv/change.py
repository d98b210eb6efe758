"""`kv.put`, `kv.add` and `kv.delete`: changing the namespace's keys. Each change is one durable write."""

from __future__ import annotations

from hostd.plugin import Action, ActionContext, JsonValue
from hostd_builtin.kv.options import AddOptions, DeleteOptions, PutOptions, shown


class Put(Action[PutOptions]):
    """Keeps a value."""

    id, since, stability, effects, executors = "kv.put", "0.1", "stable", "idempotent", ("inline",)

    async def run(self, ctx: ActionContext, options: PutOptions) -> JsonValue:
        """Keep the value. Raises HostdError KV_CONFLICT, PAYLOAD_TOO_LARGE."""
        return shown(
            await ctx.kv.put(options.key, options.value, ttl=options.ttl, expected_version=options.expected_version)
        )


class Add(Action[AddOptions]):
    """Adds to a whole number, in one step however many add at once."""

    id, since, stability, effects, executors = "kv.add", "0.1", "stable", "at_most_once", ("inline",)

    async def run(self, ctx: ActionContext, options: AddOptions) -> JsonValue:
        """Add. Raises HostdError KV_NOT_A_NUMBER."""
        return shown(await ctx.kv.add(options.key, options.amount, ttl=options.ttl))


class Delete(Action[DeleteOptions]):
    """Forgets a key."""

    id, since, stability, effects, executors = "kv.delete", "0.1", "stable", "idempotent", ("inline",)

    async def run(self, ctx: ActionContext, options: DeleteOptions) -> JsonValue:
        """Forget the key; the output says whether there was one. Raises HostdError KV_CONFLICT."""
        return {"deleted": await ctx.kv.delete(options.key, expected_version=options.expected_version)}
