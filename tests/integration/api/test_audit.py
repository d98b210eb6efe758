"""The audit through the socket."""

from daemon_kit import Kit

from hostd.v1 import admin_service_pb2 as pb
from hostd.v1 import event_service_pb2 as wire
from hostd.v1 import run_pb2 as run_pb
from hostd.v1 import run_service_pb2 as runs


async def test_the_audit_comes_page_by_page(kit: Kit) -> None:
    """Three registered workflows are three events, oldest first, over as many pages as asked for."""
    numbers, token, resources = [], "", []
    while True:
        page = await kit.admin.ListAuditEvents(pb.ListAuditEventsRequest(page_size=2, page_token=token))
        numbers += [event.number for event in page.audit_events]
        resources += [event.resource for event in page.audit_events]
        assert all(event.verb == "workflow.register" and event.principal for event in page.audit_events)
        token = page.next_page_token
        if not token:
            break
    assert numbers == sorted(set(numbers))
    assert resources == ["echo", "wait", "fail"]


async def test_publishing_is_told_once_a_call(kit: Kit) -> None:
    """Who published how much to which topics; a repeated request, and what workflows publish, add nothing."""
    events = [wire.NewEvent(topic=topic) for topic in ("orders.new", "bills", "orders.new")]
    request = wire.PublishEventsRequest(events=events, request_id="r1")
    await kit.events.PublishEvents(request)
    await kit.events.PublishEvents(request)
    document = "workflow: teller\nsteps:\n  tell: {uses: event.publish, with: {topic: t, data: 1}}\n"
    await kit.register(document)
    start = runs.ExecuteRunRequest(start=runs.StartSpec(workflow="teller"))
    assert (await kit.runs.ExecuteRun(start)).outcome == run_pb.OUTCOME_SUCCEEDED
    page = await kit.admin.ListAuditEvents(pb.ListAuditEventsRequest())
    told = [event for event in page.audit_events if event.verb == "event.publish"]

    assert [(event.resource, dict(event.details)) for event in told] == [
        ("orders.new", {"topics": "orders.new bills", "events": "3"})
    ]
