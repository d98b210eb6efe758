"""Mistakes in calling webhooks: what the sender is answered."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mistakes.kit import Stage, mistake

PART = "Webhooks"
SHOP = """\
workflow: shop
triggers:
  orders:
    uses: http.webhook
    with:
      path: orders
      signature: {type: hmac, secret: correct-horse-battery-staple}
      max_body_bytes: 1024
      schema: {type: object, required: [amount]}
    input: {amount: "${{ event.data.amount }}"}
  plain:
    uses: http.webhook
    with: {path: plain, max_body_bytes: 1024, schema: {type: object, required: [amount]}}
    input: {amount: "${{ event.data.amount }}"}
steps:
  say: {uses: log.write, with: {message: "${{ input.amount }}"}}
"""


def shop(stage: Stage) -> None:
    """Have the webhooks in the daemon, listening."""
    stage.file("shop.yaml", SHOP, shown=False)
    stage.prepare("workflow", "register", "shop.yaml")


def post(stage: Stage, path: str, body: bytes, *, method: str = "POST", **headers: str) -> None:
    """Send a request; note it as curl would."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(f"http://{stage.daemon.http}{path}", data=body, headers=given, method=method)
    try:
        with urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    shown = body.decode() if len(body) < 100 else "@large.json"
    flags = "".join(f" -H '{name}: {value}'" for name, value in given.items())
    flags += f" -X {method}" if method not in ("POST", "GET") else ""
    command = f"curl -s{flags} -d '{shown}' http://127.0.0.1:7421{path}"
    stage.told(None, command, json.dumps(json.loads(text), indent=2), f"\n(HTTP {status})")


@mistake(PART)
def webhook_path_taken(stage: Stage) -> None:
    """A webhook path that another workflow has.

    A request goes to one trigger.
    """
    shop(stage)
    stage.file(
        "other.yaml",
        """\
        workflow: other
        triggers:
          door: {uses: http.webhook, with: {path: plain}}
        steps:
          say: {uses: log.write, with: {message: hello}}
        """,
    )
    stage.hostd("workflow", "register", "other.yaml")
    stage.hostd("trigger", "show", "other", "door")


@mistake(PART)
def webhook_wrong_path(stage: Stage) -> None:
    """A path where no webhook is.

    The namespace stands in front of the path.
    """
    shop(stage)
    post(stage, "/hooks/plain", b'{"amount": 1}', content_type="application/json")


@mistake(PART)
def webhook_wrong_method(stage: Stage) -> None:
    """A method that the webhook does not take.

    `methods` of the trigger says which it does; POST if it says nothing.
    """
    shop(stage)
    post(stage, "/hooks/default/plain", b'{"amount": 1}', method="PUT", content_type="application/json")


@mistake(PART)
def webhook_wrong_signature(stage: Stage) -> None:
    """A request without its signature, and with a wrong one.

    Sender and trigger share one secret, and the signature is over the body's exact bytes.
    """
    shop(stage)
    post(stage, "/hooks/default/orders", b'{"amount": 1}', content_type="application/json")
    post(stage, "/hooks/default/orders", b'{"amount": 1}', content_type="application/json", x_signature="00ff")


@mistake(PART)
def webhook_body_not_json(stage: Stage) -> None:
    """A body that is no JSON, or not what the trigger's `schema` asks for.

    The content type says JSON, so JSON is expected.
    """
    shop(stage)
    post(stage, "/hooks/default/plain", b"{amount: 1}", content_type="application/json")
    post(stage, "/hooks/default/plain", b'{"amuont": 1}', content_type="application/json")


@mistake(PART)
def webhook_body_too_large(stage: Stage) -> None:
    """A body that is too large.

    The trigger has its own bound, and the daemon one for all.
    """
    shop(stage)
    body = json.dumps({"amount": 1, "note": "x" * 2000}).encode()
    post(stage, "/hooks/default/plain", body, content_type="application/json")
