"""`event.publish`: one event into a topic. A repeated attempt publishes nothing new: the id is the step's own."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from hostd.plugin import Action, ActionContext, Event, Field, HostdError, JsonValue, Options
from hostd.plugin.cloud_events import ATTRIBUTE_BYTES_MAX, read_extensions
from hostd.plugin.event import EVENT_ID_BYTES_MAX
from hostd.plugin.service_rules import check_topic


class PublishOptions(Options):
    """One event."""

    topic: str = Field(
        description="Where to: words of letters, digits, `_` and `-`, joined by dots.", examples=["orders.created"]
    )
    type: str = Field(
        "", description="What happened; absent = the topic.", max_length=ATTRIBUTE_BYTES_MAX, examples=["order.created"]
    )
    data: Any = Field(None, description="Any JSON value.", examples=[{"order": "${{ input.order }}"}])
    subject: str = Field("", description="What it is about.", max_length=ATTRIBUTE_BYTES_MAX)
    source: str = Field(
        "", description="Who says so; absent = `/hostd/<namespace>/<workflow>`.", max_length=ATTRIBUTE_BYTES_MAX
    )
    id: str | None = Field(
        None,
        description="Unique for its source; absent = derived from the step, the same for every attempt of it.",
        min_length=1,
        max_length=EVENT_ID_BYTES_MAX,
        advanced=True,
    )
    extensions: dict[str, str | int | bool] = Field(
        default_factory=dict, description="Further attributes of the envelope.", advanced=True
    )

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, topic: str) -> str:
        try:
            return check_topic(topic)
        except HostdError as error:
            raise ValueError(error.message) from None

    @field_validator("extensions")
    @classmethod
    def _are_attributes(cls, given: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        try:
            read_extensions(dict(given))
        except HostdError as error:
            raise ValueError(error.message) from None
        return given


class Publish(Action[PublishOptions]):
    """Publishes the event; the output is `{id, topic, position}` once it is durable."""

    id, since, stability, effects, executors = "event.publish", "0.1", "stable", "idempotent", ("inline",)

    async def run(self, ctx: ActionContext, options: PublishOptions) -> JsonValue:
        """Publish the event. Raises HostdError EVENT_INVALID, PAYLOAD_TOO_LARGE."""
        event = Event(
            id=options.id or ctx.idempotency_key,
            source=options.source or f"/hostd/{ctx.namespace}/{ctx.workflow}",
            type=options.type or options.topic,
            time=ctx.clock.now(),
            data=options.data,
            subject=options.subject,
            extensions=dict(options.extensions),
        )
        [position] = await ctx.events.publish(options.topic, event)
        return {"id": event.id, "topic": options.topic, "position": position}
