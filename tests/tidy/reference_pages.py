"""The generated pages of docs/reference/: `make docs` writes them, a test compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from hostd.cli.reference import cli_reference
from hostd.config.reference import config_reference
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS
from hostd.host.folders.manifest_page import manifest_reference
from hostd.telemetry.metrics import metrics_reference
from hostd.testing.cases.page import cases_reference

FOLDER = Path(__file__).resolve().parents[2] / "docs/reference"
sys.path.insert(0, str(Path(__file__).resolve().parent))
from api_page import api_reference  # noqa: E402 lies beside this file, which is no package
from mistakes_page import mistakes_reference  # noqa: E402


def errors_reference() -> str:
    """Return the page of reasons and of the codes that their kinds become."""
    lines = [
        "# Errors\n",
        "Every error has a *kind*, which decides its codes, and a *reason*, which says exactly what happened.",
        "`hostd explain REASON` prints an entry of this page.\n",
        "| kind | gRPC | HTTP | exit code |\n|---|---|---|---|",
    ]
    lines += [f"| {kind} | {codes.grpc} | {codes.http} | {codes.exit} |" for kind, codes in CODES.items()]
    lines.append("\n| reason | kind | what happened | what to do |\n|---|---|---|---|")
    for reason, page in sorted(REASONS.items()):
        what, fix = page.what.replace("|", "\\|"), page.fix.replace("|", "\\|")
        lines.append(f"| `{reason}` | {page.kind} | {what} | {fix} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "api.md": api_reference,
    "cli.md": cli_reference,
    "config.md": config_reference,
    "errors.md": errors_reference,
    "manifest.md": manifest_reference,
    "metrics.md": metrics_reference,
    "mistakes.md": mistakes_reference,
    "tests.md": cases_reference,
}


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
