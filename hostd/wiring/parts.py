"""What a host is made of below the doors."""

from __future__ import annotations

from typing import NamedTuple

from hostd.wiring.care import Care
from hostd.wiring.foundation import Foundation
from hostd.wiring.guests import Guests
from hostd.wiring.ring import Ring
from hostd.wiring.services import HostServices
from hostd.wiring.ways_in import WaysIn


class Parts(NamedTuple):
    """In the order of building; each knows those before it."""

    base: Foundation
    guests: Guests
    ring: Ring
    services: HostServices
    ways_in: WaysIn
    care: Care
