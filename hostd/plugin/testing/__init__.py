"""What a plugin author tests with: a clock that is turned by hand, fake contexts, runners, and the conformance kit.

async def test_greets():
    assert await run_action(Greet, {"name": "Ada"}) == {"text": "hello Ada"}

async def test_conforms():
    assert await check_plugin(my_plugin) == []
"""

from hostd.plugin.testing.clock import FakeClock as FakeClock
from hostd.plugin.testing.conformance import check_plugin as check_plugin
from hostd.plugin.testing.contexts import FakeActionContext as FakeActionContext
from hostd.plugin.testing.contexts import FakeDoor as FakeDoor
from hostd.plugin.testing.contexts import FakeLog as FakeLog
from hostd.plugin.testing.contexts import FakeProvisionContext as FakeProvisionContext
from hostd.plugin.testing.contexts import FakeSecrets as FakeSecrets
from hostd.plugin.testing.contexts import FakeTriggerContext as FakeTriggerContext
from hostd.plugin.testing.runners import load_plugin as load_plugin
from hostd.plugin.testing.runners import run_action as run_action
from hostd.plugin.testing.runners import running_trigger as running_trigger
from hostd.plugin.testing.services import FakeBlobs as FakeBlobs
from hostd.plugin.testing.services import FakeEvents as FakeEvents
from hostd.plugin.testing.services import FakeExpressions as FakeExpressions
from hostd.plugin.testing.services import FakeHttp as FakeHttp
from hostd.plugin.testing.services import FakeKv as FakeKv
from hostd.plugin.testing.services import FakeRequest as FakeRequest
