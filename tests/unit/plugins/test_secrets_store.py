"""The encrypted store: what it keeps comes back, what is damaged is named, and nothing is ever lost on the way."""

from __future__ import annotations

import base64
import builtins
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.discover import find_built_in
from hostd.host.found import Choices
from hostd.host.host import PluginHost
from hostd.plugin.testing import FakeProvisionContext
from hostd_builtin.secrets import keys
from hostd_builtin.secrets.private_files import NotPrivateError
from hostd_builtin.secrets.settings import SecretsSettings
from hostd_builtin.secrets.store import StoreSecrets

VALUE = 'pässwörd with \\ and " and\nlines'


async def opened(data: Path, **settings: Any) -> StoreSecrets:
    """Return a store on a data folder, as a start of the daemon makes it."""
    store = StoreSecrets()
    store.settings = SecretsSettings(**settings)
    await store.provision(FakeProvisionContext(data_dir=data))
    return store


async def refused(call: Any) -> HostdError:
    """Return why a call was refused."""
    with pytest.raises(HostdError) as caught:
        await call
    assert VALUE not in caught.value.message
    return caught.value


async def test_a_value_comes_back_after_a_restart_and_stands_nowhere(tmp_path: Path) -> None:
    """Both files are 0600; neither holds the value; each namespace has its own."""
    store = await opened(tmp_path)
    await store.put("token", VALUE)
    await store.put("token", "of the team", namespace="team-a")
    again = await opened(tmp_path)

    assert await again.get("token") == VALUE
    assert await again.get("token", namespace="team-a") == "of the team"
    assert [info.name for info in await again.names()] == ["token"]
    assert await again.get("other") is None
    for name in ("secrets.store", "secrets.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert VALUE.encode() not in (tmp_path / name).read_bytes()
    assert await again.delete("token")
    assert not await again.delete("token")
    assert await again.get("token") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secrets.key", "secrets.store"]


async def test_another_key_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    """With a wrong key, or none, reading and writing are refused; with the right one all is there again."""
    await (await opened(tmp_path)).put("token", VALUE)
    kept, right = (tmp_path / "secrets.store").read_bytes(), (tmp_path / "secrets.key").read_bytes()
    for wrong in (base64.b64encode(b"k" * 32), None, b"short", b""):
        (tmp_path / "secrets.key").unlink()
        if wrong is not None:
            (tmp_path / "secrets.key").touch(0o600)
            (tmp_path / "secrets.key").write_bytes(wrong)
        store = await opened(tmp_path)
        for call in (store.get("token"), store.put("more", "value"), store.put("token", "value"), store.rotate_key()):
            error = await refused(call)
            assert error.reason == "SECRETS_UNUSABLE" and "secrets.key" in error.message
        assert (tmp_path / "secrets.store").read_bytes() == kept
        (tmp_path / "secrets.key").touch(0o600)
    (tmp_path / "secrets.key").write_bytes(right)
    assert await (await opened(tmp_path)).get("token") == VALUE


def swapped(store: dict[str, Any]) -> dict[str, Any]:
    """Put the values of two names in each other's place."""
    first, second = store["secrets"]
    first["sealed"], second["sealed"] = second["sealed"], first["sealed"]
    first["nonce"], second["nonce"] = second["nonce"], first["nonce"]
    return store


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: b"",
        lambda text: b"[]",
        lambda text: text.replace(b'"format":1', b'"format":2'),
        lambda text: text.replace(b'"nonce":"', b'"nonce":"A'),
        lambda text: text.replace(b'"sealed":"', b'"sealed":"AAAA'),
        lambda text: json.dumps(swapped(json.loads(text))).encode(),
        lambda text: text.replace(b'"namespace":"default"', b'"namespace":"other"'),
    ],
)
async def test_damage_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Cut off, emptied, of another version, changed, or a value in another's place: never a wrong value, never lost."""
    store = await opened(tmp_path)
    await store.put("token", VALUE)
    await store.put("user", "another")
    file = tmp_path / "secrets.store"
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    names = ("default", "other")
    provision = FakeProvisionContext(data_dir=tmp_path)
    store = StoreSecrets()
    store.settings = SecretsSettings()
    await store.provision(provision)
    assert provision.log.lines, "a start warns"
    found = [error for where in names for error in [await outcome(store.get("token", namespace=where))]]
    assert any(isinstance(error, HostdError) and str(file) in error.message for error in found)
    assert not any(value in ("another", VALUE) for value in found)
    file.write_bytes(whole)
    assert await store.get("token") == VALUE


async def outcome(call: Any) -> Any:
    """Return what a call returns or raises."""
    try:
        return await call
    except HostdError as error:
        return error


async def test_files_open_to_others_are_refused(tmp_path: Path) -> None:
    """The message names the file, its mode and what to do, also while the daemon runs."""
    store = await opened(tmp_path)
    await store.put("token", VALUE)
    for name in ("secrets.store", "secrets.key"):
        (tmp_path / name).chmod(0o640)
        error = await refused(store.get("token"))
        assert name in error.message and "0640" in error.message and "chmod 600" in error.message
        (tmp_path / name).chmod(0o600)
    assert await store.get("token") == VALUE


@pytest.mark.parametrize("write", [0, 1, 2])
async def test_a_rotation_cut_off_anywhere_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """Before each of its three writes: everything is readable after a restart, and the next rotation is whole."""
    store = await opened(tmp_path)
    await store.put("token", VALUE)
    left = [write]

    def cut_off(module: Any) -> None:
        real = module.write_private

        def write_private(path: Path, data: bytes) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise NotPrivateError("the disk went away")
            real(path, data)

        monkeypatch.setattr(module, "write_private", write_private)

    cut_off(keys)
    cut_off(sys.modules["hostd_builtin.secrets.store"])
    assert (await refused(store.rotate_key())).reason == "SECRETS_UNUSABLE"
    monkeypatch.undo()

    before = (tmp_path / "secrets.key").read_bytes().split()
    again = await opened(tmp_path)
    assert await again.get("token") == VALUE
    await again.put("more", "while two keys are there")
    assert await again.rotate_key() == 2
    after = (tmp_path / "secrets.key").read_bytes().split()
    assert len(after) == 1
    assert after[0] not in before[-1:]
    assert [await again.get(name) for name in ("token", "more")] == [VALUE, "while two keys are there"]


async def test_a_key_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file the operator names, or with systemd: whose key is never written, and changed by a line in front."""
    data, elsewhere = tmp_path / "data", tmp_path / "credentials"
    data.mkdir()
    elsewhere.mkdir()
    named = await opened(data, key_file=str(tmp_path / "my.key"))
    await named.put("token", VALUE)
    assert not (data / "secrets.key").exists()

    key = (tmp_path / "my.key").read_bytes()
    credential = elsewhere / "hostd-secrets-key"
    credential.write_bytes(key)
    credential.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(elsewhere))
    store = await opened(data)
    assert await store.get("token") == VALUE
    assert (await refused(store.rotate_key())).reason == "SECRETS_READ_ONLY"
    credential.chmod(0o640)
    credential.write_bytes(base64.b64encode(b"n" * 32) + b"\n" + key)
    assert await store.get("token") == VALUE
    assert await store.rotate_key() == 1
    credential.write_bytes(base64.b64encode(b"n" * 32))
    assert await store.get("token") == VALUE


async def test_a_missing_package_says_which_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported until a value is set or read; then the error names `hostd[secrets]`."""
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    store = await opened(tmp_path)
    assert "hostd[secrets]" in (await refused(store.put("token", VALUE))).message
    assert await store.get("token") is None


async def test_the_host_sets_lists_and_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first provider that has a name wins and is named; what comes from elsewhere is not deleted."""
    from hostd.host.secrets import delete_secret, list_secrets, set_secret

    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "unit").write_text("from systemd\n")
    (credentials / "team-a.unit").write_text("of the team")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    monkeypatch.setenv("HOSTD_SECRET_TOKEN", "from the environment")
    host = PluginHost(Choices(allow=frozenset({"secrets"})), data_dir=tmp_path)
    host.load(find_built_in())

    view, created, winner = await set_secret(host.registry, "default", "token", "stored")
    assert (view.provider, created, winner) == ("secrets.store", True, "secrets.environment")
    assert (await set_secret(host.registry, "default", "mine", "stored"))[1:] == (True, "")
    assert (await set_secret(host.registry, "default", "mine", "again"))[1:] == (False, "")
    listed = {view.name: view.provider for view in await list_secrets(host.registry, "default")}
    assert listed == {"mine": "secrets.store", "token": "secrets.environment", "unit": "secrets.credentials"}
    assert [view.name for view in await list_secrets(host.registry, "team-a")] == ["unit"]
    assert await host.secrets.get("default", "unit") == "from systemd"
    assert await host.secrets.get("team-a", "unit") == "of the team"

    await delete_secret(host.registry, "default", "token")
    for name, reason in (("token", "SECRETS_READ_ONLY"), ("nobody", "SECRET_MISSING")):
        assert (await refused(delete_secret(host.registry, "default", name))).reason == reason
