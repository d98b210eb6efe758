"""The smallest action: it greets."""

from hostd.plugin import Action, ActionContext, Field, JsonValue, Options, Registry, hookimpl


class HelloOptions(Options):
    """Whom to greet."""

    name: str = Field(description="Who is greeted.", examples=["Ada"])


class Hello(Action[HelloOptions]):
    """Greets somebody."""

    id, since, stability, effects = "hello.say", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: HelloOptions) -> JsonValue:
        """Return the greeting."""
        ctx.log.info("greeting", name=options.name)
        return {"text": f"hello {options.name}"}


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Hello)
