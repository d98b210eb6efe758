"""Mistakes in workflow documents, found by `hostd validate`."""

from __future__ import annotations

from mistakes.kit import Stage, mistake

PART = "Workflow documents"


@mistake(PART)
def tab_in_indent(stage: Stage) -> None:
    """A tab in the indent.

    YAML takes only spaces for indenting; many editors put a tab.
    """
    stage.validate("workflow: order\nsteps:\n\tsay:\n\t\tuses: log.write\n\t\twith: {message: hello}\n")


@mistake(PART)
def wrong_indent(stage: Stage) -> None:
    """A line that is indented too little.

    The indent says what belongs to what; `with` stands beside the step instead of in it.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say:
            uses: log.write
          with: {message: hello}
        """
    )


@mistake(PART)
def uneven_indent(stage: Stage) -> None:
    """Two keys of one step with different indents.

    Keys of one mapping begin in the same column.
    """
    stage.validate("workflow: order\nsteps:\n  say:\n    uses: log.write\n   with: {message: hello}\n")


@mistake(PART)
def misspelt_key(stage: Stage) -> None:
    """A misspelt key.

    Nothing unknown is ignored: a `timeuot` that was ignored would be a step without a timeout.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say:
            uses: log.write
            timeuot: 10s
            with: {message: hello}
        """
    )


@mistake(PART)
def key_of_another_tool(stage: Stage) -> None:
    """A word of another tool.

    `depends_on`, `run` and `on` are at home elsewhere.
    """
    stage.validate(
        """\
        workflow: order
        on: push
        steps:
          first: {uses: log.write, with: {message: one}}
          second: {depends_on: first, run: echo two}
        """
    )


@mistake(PART)
def key_twice(stage: Stage) -> None:
    """A key that stands twice.

    Most often a step that was copied and not renamed; YAML would keep the last one in silence.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say: {uses: log.write, with: {message: one}}
          say: {uses: log.write, with: {message: two}}
        """
    )


@mistake(PART)
def bad_name(stage: Stage) -> None:
    """A name with characters that names cannot have.

    `reserve-stock` would be a subtraction in an expression.
    """
    stage.validate("workflow: Order_Flow\nsteps:\n  reserve-stock: {uses: log.write, with: {message: hello}}\n")


@mistake(PART)
def wrong_type(stage: Stage) -> None:
    """A number where a duration or a text is taken.

    A number has no unit, and `1.10` is the number 1.1.
    """
    stage.validate(
        """\
        workflow: order
        version: 1.10
        timeout: 10
        steps:
          wait: {uses: flow.wait, with: {duration: 30}}
        """
    )


@mistake(PART)
def bad_duration(stage: Stage) -> None:
    """A duration in words.

    Durations are numbers with units, without spaces.
    """
    stage.validate("workflow: order\nsteps:\n  wait: {uses: flow.wait, with: {duration: 5 minutes}}\n")


@mistake(PART)
def unknown_need(stage: Stage) -> None:
    """A need that is not there.

    A step was renamed, or its name misspelt.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.request, with: {url: "https://example.com"}}
          say: {needs: fecth, uses: log.write, with: {message: done}}
        """
    )


@mistake(PART)
def missing_need(stage: Stage) -> None:
    """A step that reads another without needing it.

    Without `needs` both begin at once, and there is nothing to read yet.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.request, with: {url: "https://example.com"}}
          say: {uses: log.write, with: {message: "${{ steps.fetch.output.status }}"}}
        """
    )


@mistake(PART)
def need_cycle(stage: Stage) -> None:
    """Steps that need each other.

    None of them could begin.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          a: {needs: c, uses: log.write, with: {message: a}}
          b: {needs: a, uses: log.write, with: {message: b}}
          c: {needs: b, uses: log.write, with: {message: c}}
        """
    )


@mistake(PART)
def misspelt_step_in_expression(stage: Stage) -> None:
    """An expression that reads a step that is not there.

    A step was renamed, but not where it is read.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.request, with: {url: "https://example.com"}}
        output: ${{ steps.fetched.output.body }}
        """
    )


@mistake(PART)
def missing_quotes(stage: Stage) -> None:
    """An expression without quotes inside braces.

    YAML takes `{ }` and `: ` for its own.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say: {uses: log.write, with: {message: ${{ input.name }}}}
        """
    )


@mistake(PART)
def colon_in_text(stage: Stage) -> None:
    """A colon in plain text.

    YAML reads `: ` as the end of a key.
    """
    stage.validate(
        """\
        workflow: order
        description: Orders: from the shop to the door
        steps:
          say: {uses: log.write, with: {message: hello}}
        """
    )


@mistake(PART)
def exclamation_mark(stage: Stage) -> None:
    """A condition that begins with an exclamation mark.

    YAML reads `!` at the beginning as a tag.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say:
            if: !input.quiet
            uses: log.write
            with: {message: hello}
        """
    )


@mistake(PART)
def bad_expression(stage: Stage) -> None:
    """An expression in the syntax of another language.

    Expressions are CEL: `&&`, `||`, `!`, and `==` with texts in quotes.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say:
            if: input.total > 10 and input.coin = 'btc'
            uses: log.write
            with: {message: hello}
        """
    )


@mistake(PART)
def unknown_function(stage: Stage) -> None:
    """A function that is not there.

    The list of functions is closed; the nearest one is named.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          loud: {uses: log.write, with: {message: "${{ uper(input.name) }}"}}
          count: {uses: log.write, with: {message: "${{ len(input.items) }}"}}
        """
    )


@mistake(PART)
def root_out_of_place(stage: Stage) -> None:
    """A root that has no value there.

    `secrets` can be read in `with` only, `event` in triggers only.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          say:
            if: secrets.mode == "loud"
            uses: log.write
            with: {message: "${{ event.data.name }}"}
          again:
            uses: log.write
            with: {message: "${{ inputs.name }}"}
        """
    )


@mistake(PART)
def unknown_action(stage: Stage) -> None:
    """An action that is not there.

    Misspelt, or its plugin is not loaded.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.reqest, with: {url: "https://example.com"}}
          pay: {uses: stripe.charge, with: {amount: 5}}
        """
    )


@mistake(PART)
def unknown_option(stage: Stage) -> None:
    """An option that the action does not take.

    Misspelt, or the option of another action.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.request, with: {ulr: "https://example.com", verb: POST}}
        """
    )


@mistake(PART)
def option_of_wrong_type(stage: Stage) -> None:
    """An option of another type.

    YAML reads `5` as a number, and a list of words is closed.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          fetch: {uses: http.request, with: {url: 5, headers: {x-retries: 3}, method: FETCH}}
        """
    )


@mistake(PART)
def bad_cron(stage: Stage) -> None:
    """A cron expression with a value out of range.

    The five fields are minute, hour, day, month and day of the week.
    """
    stage.validate(
        """\
        workflow: order
        triggers:
          nightly: {uses: cron.schedule, with: {cron: "0 25 * * *", timezone: Europe/Berlin}}
          hourly: {uses: cron.schedule, with: {cron: "0 * * *"}}
        steps:
          say: {uses: log.write, with: {message: hello}}
        """
    )


@mistake(PART)
def bad_timezone(stage: Stage) -> None:
    """A time zone that is not there.

    Time zones are named by region and city.
    """
    stage.validate(
        """\
        workflow: order
        triggers:
          nightly: {uses: cron.schedule, with: {cron: "0 5 * * *", timezone: Europe/Berln}}
        steps:
          say: {uses: log.write, with: {message: hello}}
        """
    )


@mistake(PART)
def code_interpolation(stage: Stage) -> None:
    """An expression pasted into a script.

    Text from outside that is pasted into code is run as code.
    """
    stage.validate(
        """\
        workflow: order
        steps:
          greet:
            uses: lua.script
            with:
              script: return "hello ${{ input.name }}"
        """
    )


@mistake(PART)
def word_of_a_later_version(stage: Stage) -> None:
    """A word that this version does not build yet.

    The language is larger than what is built; nothing is ignored in silence.
    """
    stage.validate(
        """\
        workflow: order
        priority: 5
        steps:
          each:
            for_each: ${{ input.items }}
            uses: log.write
            with: {message: hello}
        """
    )


@mistake(PART)
def bad_schema(stage: Stage) -> None:
    """`inputs` that is no JSON Schema.

    Types have JSON's names, and `required` is a list beside `properties`.
    """
    stage.validate(
        """\
        workflow: order
        inputs:
          type: object
          properties:
            amount: {type: int, required: true}
        steps:
          say: {uses: log.write, with: {message: hello}}
        """
    )


@mistake(PART)
def no_workflow(stage: Stage) -> None:
    """A file that is no workflow document.

    The wrong file, or a list where a document is a mapping.
    """
    stage.validate("- uses: log.write\n  with: {message: hello}\n")
    stage.file("empty.yaml", "")
    stage.hostd("validate", "empty.yaml")
