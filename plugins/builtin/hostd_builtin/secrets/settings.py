"""What the operator may say of the providers, under `plugins.settings.secrets`; and what names they take."""

from __future__ import annotations

import re
from pathlib import Path

from hostd.plugin import Field, HostdError, Kind, Options

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
NAMESPACE = re.compile(r"[a-z][a-z0-9-]{0,62}")
SECRET_BYTES_MAX = 64 * 1024


class SecretsSettings(Options):
    """Where secrets and their key lie."""

    folder: str = Field("", description="Folder that holds `secrets.yaml` and `secrets/`; empty = the data folder.")
    key_file: str = Field(
        "",
        description="File with the key of the encrypted store; empty = the systemd credential `hostd-secrets-key`, "
        "else `secrets.key` in the data folder.",
    )


def unusable(path: Path, why: str) -> HostdError:
    """Return the error for the store or its key. `why` never holds what is in them."""
    return HostdError(Kind.STATE, "SECRETS_UNUSABLE", f"{path} cannot be used: {why}")
