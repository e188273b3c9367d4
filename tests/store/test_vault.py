"""Secrets at rest."""

import stat
import threading
from pathlib import Path

import pytest

from roost.store.errors import WrongSecretKey
from roost.store.vault import Vault, open_vault

KEY = "A" * 43 + "="


def test_a_secret_comes_back_and_never_looks_the_same_twice() -> None:
    vault = Vault(b"k" * 32)
    first, second = vault.encrypt(b"hunter2", "account-1"), vault.encrypt(b"hunter2", "account-1")
    assert first != second
    assert b"hunter2" not in first
    assert vault.decrypt(first, "account-1") == vault.decrypt(second, "account-1") == b"hunter2"


def test_a_secret_opens_only_with_its_key_and_in_its_place() -> None:
    vault = Vault(b"k" * 32)
    sealed = vault.encrypt(b"hunter2", "account-1")
    with pytest.raises(WrongSecretKey):
        vault.decrypt(sealed, "account-2")
    with pytest.raises(WrongSecretKey):
        Vault(b"x" * 32).decrypt(sealed, "account-1")
    for at in range(len(sealed)):
        with pytest.raises(WrongSecretKey):
            vault.decrypt(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], "account-1")


def test_keys_for_two_purposes_differ() -> None:
    vault = Vault(b"k" * 32)
    assert vault.derive("cursors") != vault.derive("secrets at rest")
    assert vault.derive("cursors") == Vault(b"k" * 32).derive("cursors")


def test_starts_at_once_agree_on_one_key_file(tmp_path: Path) -> None:
    barrier, keys = threading.Barrier(16), []

    def start() -> None:
        barrier.wait()
        keys.append(open_vault(tmp_path, None).derive("x"))

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert len(set(keys)) == 1
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("text", ["short", "A" * 44, "é" * 44, KEY[:-1] + "A"])
def test_a_key_that_is_not_32_bytes_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64"):
        open_vault(tmp_path, text)


def test_a_given_key_is_used(tmp_path: Path) -> None:
    assert open_vault(tmp_path, KEY).derive("x") == Vault(bytes(32)).derive("x")
