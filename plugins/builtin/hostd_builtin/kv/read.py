"""`kv.get` and `kv.list`: reading the namespace's keys."""

from __future__ import annotations

from hostd.plugin import Action, ActionContext, JsonValue
from hostd_builtin.kv.options import GetOptions, ListOptions, shown


class Get(Action[GetOptions]):
    """Reads one key; the output says whether it exists."""

    id, since, stability, effects, executors = "kv.get", "0.1", "stable", "none", ("inline",)

    async def run(self, ctx: ActionContext, options: GetOptions) -> JsonValue:
        """Read the key."""
        entry = await ctx.kv.get(options.key)
        if entry is None:
            return {"key": options.key, "value": options.default, "version": 0, "expires_at": None, "exists": False}
        return shown(entry) | {"exists": True}


class List(Action[ListOptions]):
    """Reads a page of keys, in the order of their bytes."""

    id, since, stability, effects, executors = "kv.list", "0.1", "stable", "none", ("inline",)

    async def run(self, ctx: ActionContext, options: ListOptions) -> JsonValue:
        """Read the page; `next` is the `after` of the following one, null behind the last."""
        entries = await ctx.kv.list(options.prefix, after=options.after, limit=options.limit)
        full = len(entries) == options.limit
        return {"entries": [shown(entry) for entry in entries], "next": entries[-1].key if full else None}
