"""What goes wrong with files, as failures of an action."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from hostd.plugin import ActionError
from hostd_builtin.file.roots import PathDenied

_CODES = {
    errno.ENOENT: "NOT_FOUND",
    errno.EEXIST: "EXISTS",
    errno.ENOTEMPTY: "NOT_EMPTY",
    errno.EISDIR: "NOT_A_FILE",
    errno.ENOTDIR: "NOT_A_FOLDER",
    errno.EACCES: "NO_PERMISSION",
    errno.EPERM: "NO_PERMISSION",
    errno.EROFS: "NO_PERMISSION",
    errno.ENAMETOOLONG: "PATH_DENIED",
    errno.ENOSPC: "NO_SPACE",
    errno.EDQUOT: "NO_SPACE",
}
_MAY_PASS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EBUSY})


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what the system says about a path into an ActionError that a person understands."""
    try:
        yield
    except PathDenied as error:
        raise ActionError(str(error), code="PATH_DENIED") from None
    except OSError as error:
        code = _CODES.get(error.errno or 0, "IO")
        retryable = error.errno in _MAY_PASS
        raise ActionError(f"{path}: {error.strerror or error}", code=code, retryable=retryable) from None


def stopped() -> ActionError:
    """Return the failure of an action that was asked to stop."""
    return ActionError("stopped before it was done", code="CANCELED", retryable=True)
