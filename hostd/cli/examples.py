"""Examples of commands, shown by `--help`, in manual pages and in the reference. A test parses each of them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "serve": ("hostd serve --data ./data", "hostd serve --config /etc/hostd.yaml"),
    "dev": ("hostd dev flows",),
    "run": ("hostd run greet.yaml --input '{\"name\": \"ada\"}'", "hostd run greet.yaml --plugins plugins -o json"),
    "validate": ("hostd validate flows/*.yaml", "hostd validate pay.yaml --plugins plugins"),
    "expr": (
        "hostd expr 'upper(\"a\") + \"b\"'",
        "echo '{\"input\": {\"n\": 3}}' | hostd expr --context - 'input.n * 2'",
    ),
    "explain": ("hostd explain RUN_MISSING", "hostd explain steps.retry", "hostd explain http.request"),
    "script run": ("hostd script run sum.lua --input '[1, 2]'",),
    "workflow register": ("hostd workflow register flows/*.yaml", "hostd workflow register --no-activate order.yaml"),
    "workflow graph": ("hostd workflow graph order.yaml", "hostd workflow graph order@1.0.0 --format mermaid"),
    "workflow diff": ("hostd workflow diff order.yaml", "hostd workflow diff order@1.0.0 order@1.1.0"),
    "workflow test": ("hostd workflow test", "hostd workflow test flows/order.test.yaml"),
    "workflow export": ("hostd workflow export --dir backup-of-workflows",),
    "runs start": (
        "hostd runs start greet --input '{\"name\": \"ada\"}' --wait",
        "hostd runs start greet --key ada --label team=a",
        "hostd runs start --from starts.jsonl",
    ),
    "runs list": (
        "hostd runs list --state failed --since 15m",
        "hostd runs list --filter 'labels.team == \"a\" && state != \"SUCCEEDED\"' -o wide",
        "hostd runs list --workflow greet --label team=a --limit 1 -o name",
    ),
    "runs count": ("hostd runs count --workflow greet --state failed --since 1d",),
    "runs watch": (
        "hostd runs watch n5hg38g0geio6mbcdbafinhs65",
        "hostd runs watch greet/ada -o json",
        "hostd runs watch --workflow greet --state failed",
    ),
    "runs show": ("hostd runs show greet/ada", "hostd runs show n5hg38g0geio6mbcdbafinhs65 -o json"),
    "runs history": ("hostd runs history greet/ada --kind attempt_failed --step fetch",),
    "runs logs": ("hostd runs logs -f greet/ada",),
    "runs cancel": (
        "hostd runs cancel greet/ada --reason 'closing time'",
        "hostd runs list --workflow greet --state waiting -o name | hostd runs cancel -",
    ),
    "runs rerun": (
        "hostd runs rerun greet/ada --wait",
        "hostd runs list --state failed --since 1h -o name | hostd runs rerun -",
    ),
    "runs signal": ("hostd runs signal order/4711 paid --data '{\"amount\": 3}'",),
    "trigger fire": ("hostd trigger fire greet door --event-data '{\"name\": \"ada\"}'",),
    "trigger preview": (
        "hostd trigger preview greet clock --count 3",
        "hostd trigger preview --uses cron.schedule --with '{\"cron\": \"0 9 * * MON-FRI\"}'",
    ),
    "trigger backfill": (
        "hostd trigger backfill greet clock --from 2026-03-29T00:00:00Z --to 2026-03-30T00:00:00Z --dry-run",
    ),
    "trigger test": ("hostd trigger test greet door --event-data '{\"name\": \"ada\"}'",),
    "dead-letters redrive": (
        "hostd dead-letters redrive 7 9",
        "hostd dead-letters redrive --filter 'workflow == \"order\"' --since 2h",
    ),
    "event publish": (
        "hostd event publish orders --type paid --data '{\"order\": 4711}'",
        "hostd event publish orders --cloudevent events.json",
    ),
    "event subscribe": ("hostd event subscribe 'orders.*'", "hostd event subscribe orders --after 0 -o json"),
    "secret set": (
        "hostd secret set api_token",
        "hostd secret set tls_key --file key.pem",
        "pass show api | hostd secret set api_token -",
    ),
    "plugin new": ("hostd plugin new price-feed --runtime lua --dir plugins",),
    "plugin install": ("hostd plugin install ./price-feed", "hostd plugin install price_feed-1.0-py3-none-any.whl"),
    "plugin docs": ("hostd plugin docs http.request", "hostd plugin docs price_feed.say --from plugins/price-feed"),
    "journal backup": ("hostd journal backup /backups/journal.db",),
    "journal compact": ("hostd journal compact",),
    "config show": ("hostd config show --origin",),
    "config get": ("hostd config get limits.threads",),
    "config log-level": ("hostd config log-level debug", "hostd config log-level hostd.plugin=debug"),
    "man": ("hostd man runs start | man -l -", "hostd man --dir ~/.local/share/man"),
}  # fmt: skip
"""Lines of a shell by the path of the command."""


def examples_of(path: str) -> tuple[str, ...]:
    """Return the examples of a command, such as `runs list` or `hostd runs list`; none where there are none."""
    return EXAMPLES.get(path.removeprefix("hostd "), ())
