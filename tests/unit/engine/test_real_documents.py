"""Documents as people write them, through the compiler and the real expressions, played against the engine."""

from __future__ import annotations

from playbook import cancel, done, error, start, tick

from hostd.definition.compile import compile_text
from hostd.model.secrets import SecretRef

DOCUMENT = """
workflow: price
version: 1.0.0
vars: {limit: "${{ input.limit * 2 }}"}
steps:
  fetch:
    uses: http.request
    with: {url: "https://x.example/${{ input.coin }}", token: "${{ secrets.api }}"}
    retry: {max_attempts: 3, jitter: 0, if: error.details.status == 503}
  cheap:
    needs: fetch
    if: steps.fetch.output.usd < vars.limit
    uses: flow.pass
    with: {output: {usd: "${{ steps.fetch.output.usd }}"}}
  dear:
    needs: fetch
    if: steps.fetch.output.usd >= vars.limit
    uses: flow.wait
    with: {duration: 10s}
  join: {needs: [cheap, dear], if: none_failed(), uses: log.write}
  clean: {needs: join, if: always(), uses: log.write}
handlers:
  failure: {uses: log.write, with: {message: "failed at ${{ failure.step }}: ${{ failure.message }}, ${{ run.state }}"}}
output: {usd: "${{ default(steps.cheap.output.usd, 0) }}"}
timeout: 5m
"""


def priced(play):
    """Return a playbook over the compiled document, begun."""
    (plan,) = compile_text(DOCUMENT)
    book = play(plan)
    book >> start({"coin": "btc", "limit": 5}) << "run started" << "fetch#1 started" << "-> start fetch#1"
    return book


def test_a_branch_a_join_and_an_output(play):
    """The cheap branch: options keep the secret's name, the join runs, the output has the price."""
    book = priced(play)
    assert book.decision.commands[0].options == {"url": "https://x.example/btc", "token": SecretRef("api")}
    book >> error("fetch", details=b'{"status":503}') << "fetch#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "fetch#2 started" << "-> start fetch#2"
    book >> done("fetch", {"usd": 7}) << "fetch#2 succeeded" << "cheap SUCCEEDED" << "dear SKIPPED" << "join#1 started"
    book << "-> start join#1"
    book >> done("join") << "join#1 succeeded" << "clean#1 started" << "-> start clean#1"
    book >> done("clean") << "clean#1 succeeded" << "ended SUCCEEDED"
    assert book.run.output == b'{"usd":7}'


def test_the_other_branch_reads_a_skipped_step_through_default(play):
    """`default` makes 0 of a step that was skipped."""
    book = priced(play)
    book >> done("fetch", {"usd": 10}) << "fetch#1 succeeded" << "cheap SKIPPED" << "dear waits"
    book.later(10_000) >> tick << "dear waited" << "join#1 started" << "-> start join#1"
    (book >> done("join")).skip()
    book >> done("clean") << "clean#1 succeeded" << "ended SUCCEEDED"
    assert book.run.output == b'{"usd":0}'


def test_a_missing_field_fails_the_step_by_name_and_the_handler_tells(play):
    """EXPRESSION_FAILED names the path; the handler's text is rendered from the failure."""
    book = priced(play)
    (
        book
        >> done("fetch", {})
        << "fetch#1 succeeded"
        << "cheap FAILED EXPRESSION_FAILED"
        << "dear FAILED EXPRESSION_FAILED"
    )
    book << "join SKIPPED" << "clean#1 started" << "-> start clean#1"
    assert "steps.fetch.output.usd" in book.run.step_failures[1].message
    (book >> done("clean")).skip()
    text = book.decision.commands[0].options["message"]
    assert text.startswith("failed at cheap: ") and text.endswith(", FAILED")
    book >> done("failure") << "handlers.failure#1 succeeded" << "ended FAILED"


def test_a_timeout_renders_the_same_handler(play):
    """`failure.step` is empty, not missing, when the run itself failed."""
    book = priced(play)
    book.later(300_000) >> tick << "run timed out" << "cheap CANCELED" << "dear CANCELED" << "join CANCELED"
    book << "clean#1 started" << "-> cancel fetch#1" << "-> start clean#1"
    book >> cancel << "nothing"
    book >> error("fetch") << "fetch#1 failed ACTION_FAILED canceled"
    book >> done("clean") << "clean#1 succeeded" << "outcome TIMED_OUT RUN_TIMEOUT" << "handlers.failure#1 started"
    book << "-> start handlers.failure#1"
    assert book.decision.commands[0].options["message"] == (
        "failed at : the run took longer than its `timeout`, TIMED_OUT"
    )
    book >> done("failure") << "handlers.failure#1 succeeded" << "ended TIMED_OUT"
