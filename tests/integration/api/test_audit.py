"""The audit through the socket."""

from daemon_kit import Kit

from hostd.v1 import admin_service_pb2 as pb


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
