"""Read events; the next process goes on where this one ended: run it twice.

The place is written after what was done with an event: who is killed between the two does that event again.
"""

import sys
from pathlib import Path

from hostd.client import connect_blocking

place = Path(sys.argv[1] if len(sys.argv) > 1 else "position.txt")
after = int(place.read_text()) if place.exists() else 0

with connect_blocking() as client:
    for n in range(3):
        client.publish("readings.kitchen", {"celsius": 20 + n})
    with client.subscribe("readings.*", after=after) as events:
        for event in events:
            print(event.position > after, event.topic, event.data)
            place.write_text(str(event.position))
            if event.data == {"celsius": 22}:
                break
