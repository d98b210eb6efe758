"""`log.write`: one line into the attempt's log."""

from __future__ import annotations

from typing import Any, Literal

from hostd.plugin import Action, ActionContext, Field, Options


class WriteOptions(Options):
    """One line."""

    message: str = Field(description="The text.", max_length=8_192, examples=["price is ${{ steps.price.output.usd }}"])
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="How serious it is.")
    fields: dict[str, Any] = Field(
        default_factory=dict, description="JSON values beside the text.", max_length=64, examples=[{"coin": "btc"}]
    )


class Write(Action[WriteOptions]):
    """Writes the line; the output is null."""

    id, since, stability, effects, executors = "log.write", "0.1", "stable", "idempotent", ("inline",)

    async def run(self, ctx: ActionContext, options: WriteOptions) -> None:
        """Write the line."""
        getattr(ctx.log, options.level)(options.message, **options.fields)
