"""What a plugin author tests with beside `hostd.plugin.testing`: a real host in the test's own process.

async def test_it_behaves_the_same_wherever_it_runs():
    cases = [Case("shop.charge", {"cents": 250}, output={"paid": True})]
    assert await check_plugin(FOLDER, cases) == []

async def test_in_a_workflow():
    async with on_stage(FOLDER) as stage:
        assert (await stage.attempt("shop.charge", {"cents": 250})).output == {"paid": True}
"""

from hostd.testing.modes import Case as Case
from hostd.testing.modes import check_plugin as check_plugin
from hostd.testing.stage import MODES as MODES
from hostd.testing.stage import Outcome as Outcome
from hostd.testing.stage import Slots as Slots
from hostd.testing.stage import Stage as Stage
from hostd.testing.stage import on_stage as on_stage
