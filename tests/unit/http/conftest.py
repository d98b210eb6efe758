"""The HTTP door never blocks the loop."""

from loop_guard import nothing_blocks_the_loop as nothing_blocks_the_loop
