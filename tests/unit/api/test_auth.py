"""Who may do what."""

from pathlib import Path

import pytest

from hostd.api.auth import OWNER, VERBS, OwnerPolicy, OwnerToken, owner_token, principal_of
from hostd.errors.base import HostdError
from hostd.v1 import (
    admin_service_pb2,
    dead_letter_service_pb2,
    event_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    secret_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)

FILES = (
    admin_service_pb2,
    dead_letter_service_pb2,
    event_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    secret_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)


def test_every_rpc_has_a_verb() -> None:
    """An rpc without a verb could not be allowed or denied."""
    methods = {
        f"/{service.full_name}/{method.name}"
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert {name for name in VERBS if name.startswith("/hostd.")} == methods


def test_running_sent_code_is_a_verb_of_its_own() -> None:
    """Who may start what is registered may not thereby run code that comes with the request."""
    code = {name.rpartition("/")[2] for name, verb in VERBS.items() if verb == "code.run"}
    assert code == {"EvaluateScript", "EvaluateExpression"}
    assert VERBS["/hostd.v1.RunService/StartRun"] != "code.run"


def test_the_owner_may_everything_and_nobody_else_anything() -> None:
    """The first policy has one rule."""
    OwnerPolicy().authorize(OWNER, "run.start", "default")
    for somebody in ("", "guest"):
        with pytest.raises(HostdError, match="ACCESS_DENIED"):
            OwnerPolicy().authorize(somebody, "run.get", "default")


@pytest.mark.parametrize("header, reason", [
    ("", "TOKEN_MISSING"), ("Bearer ", "TOKEN_MISSING"), ("Basic c2VjcmV0", "TOKEN_MISSING"),
    ("Bearer other", "TOKEN_INVALID"), ("Bearer \u20ac", "TOKEN_INVALID"),
])  # fmt: skip
def test_a_bad_token_is_told_how(header: str, reason: str) -> None:
    """Nothing sent and something wrong sent are two reasons, and neither repeats the token."""
    with pytest.raises(HostdError, match=reason) as caught:
        principal_of(header, OwnerToken("secret-of-the-owner", Path("token")))
    assert "secret" not in caught.value.message


def test_the_owner_is_known_by_the_token() -> None:
    """The scheme's case does not matter."""
    assert principal_of("bearer secret-of-the-owner", OwnerToken("secret-of-the-owner", Path("token"))) == OWNER


def test_the_first_start_writes_a_token(tmp_path: Path) -> None:
    """It is 0600, long, and the same at the next start."""
    path = tmp_path / "token"
    first = owner_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first) >= 40
    assert owner_token(path) == first


def test_an_open_token_file_is_closed(tmp_path: Path) -> None:
    """A file that others could read is made ours again."""
    path = tmp_path / "token"
    token = owner_token(path)
    path.chmod(0o644)
    assert owner_token(path) == token
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "short", "x" * 1_000, "with a\nnewline inside of it, and long enough"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    """An empty or damaged file would let anybody or nobody in."""
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        owner_token(path)


def test_an_empty_token_is_nobodys() -> None:
    """It cannot even be set."""
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        OwnerToken("", Path("token"))
