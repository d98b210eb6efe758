"""What all parts of a manifest have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from hostd.plugin.action import fault_of_codes


def _codes(codes: dict[str, str]) -> dict[str, str]:
    fault = fault_of_codes(codes)
    if fault:
        raise ValueError(fault)
    return codes


ComponentId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$")]
Codes = Annotated[dict[str, str], AfterValidator(_codes)]


class Part(BaseModel):
    """Frozen, and nothing unknown is ignored. Built when the first manifest is read: most daemons have none."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
