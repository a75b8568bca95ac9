"""Plants the mistakes of mutants.yaml, one at a time, and tells which of them no test sees.

Words after the name of the program choose those whose file or meaning has one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from config.loading.reading import read

TABLE = Path(__file__).with_name("mutants.yaml")
WORKERS = 2
TIMEOUT = 600
CAUGHT = "caught"
# Of a test, and not of a module that cannot be imported.
FAILURE = re.compile(r"^(FAILED|ERROR) tests/\S+?::", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A mistake: what it means, the text that it replaces in a file, the tests that are to fail."""

    file: str
    mistake: str
    text: str
    instead: str
    tests: str

    @property
    def name(self) -> str:
        return f"{self.file}: {self.mistake}"

    @property
    def selection(self) -> list[str]:
        """The tests, as pytest wants to be told."""
        return [f"tests/{test}" for test in self.tests.split()]

    def planted(self, source: str) -> str:
        """The source with the mistake; ValueError if the text is not there once."""
        if source.count(self.text) != 1:
            raise ValueError(f"{self.name}: the text is there {source.count(self.text)} times")
        return source.replace(self.text, self.instead)


def mutants() -> Iterator[Mutant]:
    """The mistakes of the table, which is read as values are: no file is there twice."""
    for file, mistakes in read(TABLE).content.items():
        for mistake in mistakes:
            yield Mutant(file=file, **mistake)


def main(words: Sequence[str]) -> int:
    """Print a line for each mistake; 1 if one is not caught or the table is stale, else 0."""
    start = time.monotonic()
    chosen = [m for m in mutants() if not words or any(word in m.name for word in words)]
    unfit = list(stale(chosen)) if chosen else ["no mistake has one of these words"]
    if unfit:
        print("\n".join(unfit))
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        Path(folder).chmod(0o755)  # some tests run programs as another user
        checkout = Path(folder, "copy-0")
        _copy_checkout(checkout)
        tests = sorted({test for mutant in chosen for test in mutant.selection})
        sound = _pytest(checkout, ["-n", str(WORKERS), *tests], PYTHONDONTWRITEBYTECODE="")
        if sound.returncode:
            print(sound.stdout, "The tests fail without any mistake.", sep="\n")
            return 1
        missed = 0
        for mutant, (verdict, said) in zip(chosen, _verdicts(chosen, checkout), strict=True):
            print(f"{verdict:8}  {mutant.name}{said}", flush=True)
            missed += verdict != CAUGHT
    print(f"{len(chosen) - missed} of {len(chosen)} caught in {time.monotonic() - start:.0f} s")
    return 1 if missed else 0


def stale(chosen: Sequence[Mutant]) -> Iterator[str]:
    """What no longer applies, in words."""
    for mutant in chosen:
        try:
            source = (ROOT / mutant.file).read_text(encoding="utf-8")
            if mutant.planted(source) == source:
                yield f"{mutant.name}: changes nothing"
        except (OSError, ValueError) as error:
            yield str(error)


def _copy_checkout(copy: Path) -> None:
    """All tracked files, as they are now, with node_modules and pytest's cache of the helms."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    for name in tracked.stdout.rstrip("\0").split("\0"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    (copy / "node_modules").symlink_to(ROOT / "node_modules")
    cache = ROOT / ".pytest_cache/d"
    cache.mkdir(parents=True, exist_ok=True)
    (copy / ".pytest_cache").mkdir()
    (copy / ".pytest_cache/d").symlink_to(cache)


def _verdicts(chosen: Sequence[Mutant], checkout: Path) -> Iterator[tuple[str, str]]:
    """What came of each mistake; every worker has a copy of the checkout beside it."""
    free: SimpleQueue[Path] = SimpleQueue()
    free.put(checkout)
    for number in range(1, WORKERS):
        free.put(shutil.copytree(checkout, checkout.with_name(f"copy-{number}"), symlinks=True))
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda mutant: _verdict(mutant, free), chosen)


def _verdict(mutant: Mutant, free: SimpleQueue[Path]) -> tuple[str, str]:
    """What came of a mistake in a copy that is free, and what else there is to say of it."""
    copy = free.get()
    file = copy / mutant.file
    source = file.read_text(encoding="utf-8")
    try:
        file.write_text(mutant.planted(source), encoding="utf-8")
        done = _pytest(copy, ["-x", *mutant.selection], PYTHONDONTWRITEBYTECODE="1")
    except subprocess.TimeoutExpired:
        return "ENDLESS", f" ({TIMEOUT} s)"
    finally:
        file.write_text(source, encoding="utf-8")
        free.put(copy)
    if done.returncode == 1 and FAILURE.search(done.stdout):
        return CAUGHT, ""
    if done.returncode == 0:
        return "SURVIVED", f" ({done.stdout.splitlines()[-1]})"
    return "NO TEST", f"\n{done.stdout}"


def _pytest(
    copy: Path, arguments: Sequence[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the tests of a copy; their scratch files are beside it, to go with it."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=line", *arguments],
        cwd=copy,
        env=os.environ | {"TMPDIR": str(copy.parent)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the copies are removed
    sys.exit(main(sys.argv[1:]))
