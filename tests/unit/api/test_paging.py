"""Pages and messages of many entries."""

import pytest

from hostd.api.paging import PAGE_BYTES_MAX, Page
from hostd.api.run_watching import change_pages
from hostd.api.tokens import Tokens, scope_of
from hostd.errors.base import HostdError
from hostd.model.states import RunState
from hostd.model.views import RunChange, RunChanges, RunView
from hostd.v1.run_pb2 import Run
from hostd.v1.run_service_pb2 import WatchRunsResponse

TOKENS = Tokens(key=b"k", timeline="t")
SCOPE = scope_of("ListRuns")


def page(size: int = 0, token: str = "") -> Page:
    """Return a page of a list."""
    return Page(TOKENS, SCOPE, size=size, token=token)


def test_the_next_page_begins_behind_the_last_entry() -> None:
    """One entry more than fits was asked for: it says that there is more, and comes first on the next page."""
    first = page(size=2)
    assert (first.limit, first.after(0)) == (3, 0)
    kept, token = first.cut([Run(key=str(number)) for number in range(3)], [10, 20, 30])
    assert [run.key for run in kept] == ["0", "1"]
    assert page(size=2, token=token).after(0) == 20


def test_the_last_page_has_no_token() -> None:
    """Also when it is exactly full."""
    assert page(size=2).cut([Run(), Run()], [1, 2])[1] == ""
    assert page(size=2).cut([], []) == ([], "")


def test_a_page_fits_into_a_message() -> None:
    """Large entries end a page early, but never before the first one."""
    large = Run(message="x" * PAGE_BYTES_MAX)
    kept, token = page(size=100).cut([large, large, Run()], [1, 2, 3])
    assert len(kept) == 1
    assert page(token=token).after(0) == 1


def test_a_token_of_another_kind_of_list_is_refused() -> None:
    """Its position would mean something else."""
    token = TOKENS.page(SCOPE, "name")
    with pytest.raises(HostdError, match="PAGE_TOKEN_INVALID"):
        page(token=token).after(0)
    with pytest.raises(HostdError, match="ARGUMENT_INVALID"):
        page(size=1_001)


def test_only_the_last_message_of_a_batch_can_be_resumed_from() -> None:
    """A batch that is cut into messages has its token at the end: from the middle, changes would be lost."""
    run = RunView("a" * 26, 1, "default", "w", "1.0.0", RunState.RUNNING, labels={"l": "x" * 300_000})
    batch = RunChanges([RunChange("ADDED", run)] * 10, position=7, snapshot_end=True)
    messages = [WatchRunsResponse.FromString(page) for page in change_pages(batch, "token")]
    assert len(messages) > 2
    assert sum(len(message.changes) for message in messages) == 10
    assert [message.resume_token for message in messages[:-1]] == [""] * (len(messages) - 1)
    assert (messages[-1].resume_token, messages[-1].snapshot_end, messages[0].snapshot_end) == ("token", True, False)


def test_a_bookmark_is_a_message_without_changes() -> None:
    """It moves the place from which a watch can be resumed."""
    (page,) = change_pages(RunChanges([], position=9), "token")
    message = WatchRunsResponse.FromString(page)
    assert (len(message.changes), message.resume_token) == (0, "token")
