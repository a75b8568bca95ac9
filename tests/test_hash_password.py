"""make hash-password: a password -> what the values take for it."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

import hash_password
from config.clearml import FixedUsers

ROOT = Path(__file__).parents[1]


def hashed(typed: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(ROOT / "hash_password.py")]
    return subprocess.run(program, input=typed, capture_output=True, text=True)


def verifies(password: str, printed: str) -> bool:
    return bcrypt.checkpw(password.encode(), base64.b64decode(printed))


@pytest.mark.parametrize("password", ["test-secret jäneÿ ", "s" * 72])
def test_what_is_printed_is_a_password_of_a_fixed_user(password: str) -> None:
    result = hashed(f"{password}\nanother line\n")
    assert (result.returncode, result.stderr) == (0, "")
    (printed,) = result.stdout.splitlines()
    assert verifies(password, printed)
    user = {"username": "jane", "name": "Jane", "password": printed}
    assert FixedUsers.read({"enabled": True, "passHashed": True, "users": [user]})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("s" * 73, "72 bytes"),
        ("ä" * 37, "72"),
        ("a\0b", "null"),
        ("test-secret €", "U+00FF"),
        ("test-secret e\u0301", "U+00FF"),
    ],
)
def test_a_password_that_no_hash_stands_for_is_refused(typed: str, said: str) -> None:
    result = hashed(typed)
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_bytes_that_are_no_text_are_refused(locale: str) -> None:
    program = [sys.executable, str(ROOT / "hash_password.py")]
    environment = {**os.environ, "LC_ALL": locale}
    result = subprocess.run(program, input=b"test\xff", capture_output=True, env=environment)
    assert (result.returncode, result.stdout) == (1, b"")
    assert len(result.stderr.splitlines()) == 1


class Terminal(io.StringIO):
    """An input that somebody types at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What is typed at the prompts, one after the other."""

    def answer(*passwords: str) -> None:
        left = iter(passwords)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda *_: next(left))

    return answer


def test_at_a_terminal_the_password_is_asked_for_twice(
    typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typing("test-secret", "test-secret")
    assert hash_password.main() is None
    assert verifies("test-secret", capsys.readouterr().out)
    typing("test-secret", "test-secrte")
    assert hash_password.main() == "the two passwords differ"
