"""The hostd plugin SDK: everything a plugin author imports.

A plugin is a module with one hook:

    @hookimpl
    def hostd_register(registry: Registry) -> None:
        registry.action(Greet)

Fakes and the conformance kit are in `hostd.plugin.testing`.
"""

from hostd.errors.base import HostdError as HostdError
from hostd.errors.base import Kind as Kind
from hostd.plugin.action import Action as Action
from hostd.plugin.action import Effects as Effects
from hostd.plugin.api import API as API
from hostd.plugin.component import Stability as Stability
from hostd.plugin.context import ActionContext as ActionContext
from hostd.plugin.context import CancelToken as CancelToken
from hostd.plugin.context import Clock as Clock
from hostd.plugin.context import HttpDoor as HttpDoor
from hostd.plugin.context import Log as Log
from hostd.plugin.context import ProvisionContext as ProvisionContext
from hostd.plugin.context import Secrets as Secrets
from hostd.plugin.context import TriggerClock as TriggerClock
from hostd.plugin.context import TriggerContext as TriggerContext
from hostd.plugin.duration import Duration as Duration
from hostd.plugin.duration import format_duration as format_duration
from hostd.plugin.duration import parse_duration as parse_duration
from hostd.plugin.errors import ActionError as ActionError
from hostd.plugin.errors import EndOfTrigger as EndOfTrigger
from hostd.plugin.errors import NotConnected as NotConnected
from hostd.plugin.errors import PermanentFailure as PermanentFailure
from hostd.plugin.errors import RetryLater as RetryLater
from hostd.plugin.event import EmitOutcome as EmitOutcome
from hostd.plugin.event import Emitted as Emitted
from hostd.plugin.event import Event as Event
from hostd.plugin.event import Overlap as Overlap
from hostd.plugin.event import rfc3339 as rfc3339
from hostd.plugin.expressions import Expression as Expression
from hostd.plugin.expressions import ExpressionBudget as ExpressionBudget
from hostd.plugin.expressions import Expressions as Expressions
from hostd.plugin.expressions import expression_of as expression_of
from hostd.plugin.expressions import text_of_expressions as text_of_expressions
from hostd.plugin.expressions import tree_of_expressions as tree_of_expressions
from hostd.plugin.function import ActionFunction as ActionFunction
from hostd.plugin.function import action as action
from hostd.plugin.hookspecs import hookimpl as hookimpl
from hostd.plugin.options import Field as Field
from hostd.plugin.options import OptionNotSupported as OptionNotSupported
from hostd.plugin.options import Options as Options
from hostd.plugin.registry import Registry as Registry
from hostd.plugin.results import RunFailure as RunFailure
from hostd.plugin.results import RunResult as RunResult
from hostd.plugin.secrets import SecretInfo as SecretInfo
from hostd.plugin.secrets import SecretsProvider as SecretsProvider
from hostd.plugin.secrets import WritableSecrets as WritableSecrets
from hostd.plugin.services import BlobRef as BlobRef
from hostd.plugin.services import Blobs as Blobs
from hostd.plugin.services import Events as Events
from hostd.plugin.services import Http as Http
from hostd.plugin.services import HttpAnswer as HttpAnswer
from hostd.plugin.services import KeyValue as KeyValue
from hostd.plugin.services import KvEntry as KvEntry
from hostd.plugin.services import Published as Published
from hostd.plugin.slots import CatchUp as CatchUp
from hostd.plugin.slots import Schedule as Schedule
from hostd.plugin.trigger import EVERY_PEER as EVERY_PEER
from hostd.plugin.trigger import ONE as ONE
from hostd.plugin.trigger import PARTITIONS as PARTITIONS
from hostd.plugin.trigger import Instances as Instances
from hostd.plugin.trigger import Trigger as Trigger
from hostd.plugin.webhook import Route as Route
from hostd.plugin.webhook import WebhookHandler as WebhookHandler
from hostd.plugin.webhook import WebhookRequest as WebhookRequest
from hostd.plugin.webhook import WebhookResponse as WebhookResponse
from hostd.values.json_text import JsonValue as JsonValue
from hostd.values.json_text import dump_json as dump_json
from hostd.values.json_text import parse_json as parse_json
