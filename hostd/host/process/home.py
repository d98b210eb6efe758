"""What all plugin processes of a daemon share."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

from hostd.aio import Clock
from hostd.host.process.groups import Sharing
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.start_queue import StartQueue
from hostd.host.process.switchboard import Switchboard


class ProcessHome(NamedTuple):
    """`run_dir` is for pipes and notes; `data_dir` None keeps no files."""

    switchboard: Switchboard
    clock: Clock
    random: Random
    limits: ProcessLimits
    run_dir: Path
    data_dir: Path | None
    starts: StartQueue
    sharing: Sharing
