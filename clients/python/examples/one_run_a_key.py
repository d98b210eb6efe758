"""A run of one's own name: `key` is unique among the live runs of a workflow."""

from hostd.client import connect_blocking, errors

DOCUMENT = """
workflow: basket
signals: {item: {type: string}}
steps:
  open: {uses: flow.wait, with: {duration: 1h}}
"""

with connect_blocking() as client:
    client.register(DOCUMENT)
    basket = client.signal_with_start("basket", "customer-7", "item", "apples")
    again = client.signal_with_start("basket", "customer-7", "item", "pears")
    print("the same run:", basket.run_id == again.run_id, again.existing)
    print("it keeps", client.get_run("basket/customer-7").signals)
    try:
        client.start("basket", key="customer-7")
    except errors.RunOpen as error:
        print(error.reason, error.metadata)
    print("used:", client.start("basket", key="customer-7", on_open="USE_EXISTING").run_id == basket.run_id)
    print(basket.cancel("the shop closes").state in ("CANCELING", "CANCELED"))
    print(basket.wait().state)
