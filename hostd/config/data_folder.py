"""The data folder: ours alone, made where it is not there."""

from __future__ import annotations

import errno
from pathlib import Path

from hostd.errors.base import HostdError, Kind


def make_data_folder(data: Path) -> None:
    """Make the data folder and what every host needs in it. Blocks, shortly.

    Raises:
        HostdError: JOURNAL_READ_ONLY when it cannot be made or written; JOURNAL_FULL where the disk has no space.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / "run").mkdir(mode=0o700, exist_ok=True)
        (data / "run").chmod(0o700)
    except OSError as error:
        raise unusable(data, error) from None


def unusable(data: Path, error: OSError) -> HostdError:
    """Return the error for a data folder that cannot be used."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"the data folder {data} cannot be made: {error.strerror}"
        return HostdError(Kind.UNAVAILABLE, "JOURNAL_FULL", message)
    what = error.strerror
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        what = "there is a file of this name; --data (HOSTD_DATA) names a folder"
    message = f"the data folder {data} cannot be used: {what}"
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message)
