"""What failures of mock actions are called."""

from __future__ import annotations

FAILED = {"MOCK_FAILED": "It was told to fail; `code` gives another word."}
FLAKY = {"MOCK_FLAKY": "It was told to fail at times. Retryable."}
FORBIDDEN = {
    "MOCK_FORBIDDEN": "It can harm the daemon: `plugins.settings.mock: {harmful: true}` permits it, for tests.",
}
