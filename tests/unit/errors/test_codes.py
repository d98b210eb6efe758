"""The table of codes."""

import grpc

from hostd.errors.base import Kind
from hostd.errors.codes import CODES


def test_every_kind_has_codes_that_exist() -> None:
    """Each kind maps to a real gRPC code, an HTTP error and a failing exit code."""
    assert set(CODES) == set(Kind)
    for codes in CODES.values():
        assert codes.grpc in grpc.StatusCode.__members__
        assert 400 <= codes.http <= 599
        assert 1 < codes.exit < 128
