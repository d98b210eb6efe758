"""What the host does for plugins: durable keys, blobs, topics, actions that they ask for."""

from __future__ import annotations

from hostd.host.services import Services
from hostd.runtime.attempts.requests import Requests
from hostd.runtime.services.blob_shelf import BlobShelf
from hostd.runtime.services.kv import KeyValues
from hostd.runtime.services.topic_types import TopicTypes
from hostd.runtime.services.topics import Topics
from hostd.wiring.foundation import Foundation
from hostd.wiring.guests import Guests
from hostd.wiring.ring import Ring


class HostServices:
    """Everything is kept in the journal, through the ring."""

    def __init__(self, base: Foundation, guests: Guests, ring: Ring) -> None:
        loop, journal, readers = ring.loop, base.journal, base.readers
        self.key_values = KeyValues(loop=loop, journal=journal, readers=readers, clock=base.clock)
        self.blob_shelf = BlobShelf(loop=loop, journal=journal, readers=readers)
        self.topics = Topics(
            loop=loop, journal=journal, readers=readers, types=TopicTypes(journal=journal, readers=readers)
        )
        requests = Requests(lambda: guests.called(), guests.host.coming)
        self.for_plugins = Services(self.key_values, self.blob_shelf, self.topics, requests)
        guests.contexts.services = self.for_plugins
