"""A host inside a program, workflows written in Python, and functions as their steps.

from hostd.embedding import Host, Workflow, action
from hostd.embedding.uses import flow

@action("shop.price")
async def price(ctx, sku: str, amount: int = 1) -> dict:
    return {"total": 7 * amount}

order = Workflow("order")
priced = order.step("price", price.step(sku=order.input.sku))
order.output(priced.output.total)

async with Host.open("data", actions=[price]) as host:
    print(await host.execute(order, {"sku": "a-1"}))
"""

from hostd.embedding.blocking import BlockingHost as BlockingHost
from hostd.embedding.expressions import Expr as Expr
from hostd.embedding.expressions import either as either
from hostd.embedding.expressions import expr as expr
from hostd.embedding.expressions import fn as fn
from hostd.embedding.expressions import is_in as is_in
from hostd.embedding.host import Host as Host
from hostd.embedding.parts import Step as Step
from hostd.embedding.run import Run as Run
from hostd.embedding.run_calls import RunChange as RunChange
from hostd.embedding.run_info import Change as Change
from hostd.embedding.run_info import FailureInfo as FailureInfo
from hostd.embedding.run_info import RunFailed as RunFailed
from hostd.embedding.run_info import RunInfo as RunInfo
from hostd.embedding.run_info import StepInfo as StepInfo
from hostd.embedding.uses import use as use
from hostd.embedding.workflow import Workflow as Workflow
from hostd.embedding.workflow_calls import Registered as Registered
from hostd.errors.base import HostdError as HostdError
from hostd.plugin import ActionContext as ActionContext
from hostd.plugin import ActionError as ActionError
from hostd.plugin import Field as Field
from hostd.plugin import action as action
