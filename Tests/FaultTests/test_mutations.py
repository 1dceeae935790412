"""The checker sees a real fault: the challenge service is built with one line broken, put under load, and must be found out."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from stack import BIN, ROOT, Stack

from .checker import violations
from .conftest import LONG, Trial

PROGRAM = "countersign-challenge"
# name: (file, what stands there, what is put in its place, what the checker must say)
MUTATIONS = {
    "a compare-and-set that is dropped": (
        "Sources/ChallengeService/ChallengeService+Redeem.swift",
        'case .alreadyRedeemed: throw ServiceError(.alreadyRedeemed, "the sign-in has been redeemed")',
        "case .alreadyRedeemed: break",
        "was redeemed 2 times",
    ),
    "a reply before the commit": (
        "Sources/StorageSQLite/Store/GroupCommit.swift",
        'try database.cachedStatement(sql: "COMMIT").execute()',
        'for settle in settles { settle(nil) }; settles = []; usleep(100_000); try database.cachedStatement(sql: "COMMIT").execute()',
        "is lost",
    ),
}


def build() -> None:
    run = subprocess.run(["swift", "build", "-c", "debug", "--product", PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]


@contextlib.contextmanager
def programs(folder: pathlib.Path, file: str, old: str, new: str):
    """A folder of programs of which one is built from the broken file. The file itself stays: the broken one lies over it for this
    process and its children alone, and the right program is built again afterwards."""
    source, broken = ROOT / file, folder / "broken.swift"
    text = source.read_text()
    assert text.count(old) == 1, f"{file} has changed: {old}"
    broken.write_text(("import Glibc\n" if "usleep" in new else "") + text.replace(old, new))
    subprocess.run(["mount", "--bind", broken, source], check=True)
    try:
        build()
        for program in BIN.glob("countersign-*"):
            if program.is_file() and os.access(program, os.X_OK) and program.name != PROGRAM:
                (folder / program.name).symlink_to(program.resolve())
        shutil.copy(BIN / PROGRAM, folder / PROGRAM)
    finally:
        subprocess.run(["umount", source], check=True)
        build()
    yield folder


@pytest.mark.skipif(not LONG, reason="builds twice; part of the long form")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_line_is_found(tmp_path, name):
    file, old, new, sentence = MUTATIONS[name]
    (tmp_path / "bin").mkdir()
    with programs(tmp_path / "bin", file, old, new) as folder:
        stack = Stack(tmp_path / "var", {"COUNTERSIGN_BIN": str(folder)}).start()
        try:
            trial = Trial(stack, 8)
            with contextlib.suppress(AssertionError), trial.load("mutation") as load:
                for _ in range(10):
                    time.sleep(2)
                    stack.kill("challenge")
            found = violations(load.history, load.log(), load.keys())
        finally:
            stack.stop()
    assert any(sentence in line for line in found), found[:20]
