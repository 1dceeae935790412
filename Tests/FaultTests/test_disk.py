"""A disk that is full or that fails: what was not committed is never said to be."""

import contextlib
import subprocess
import time

import pytest

from stack import Stack

from .conftest import LONG, Trial
from .load import BRISK

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) { const char *mark = getenv("FSYNC_FAILS_WHILE"); return mark && access(mark, F_OK) == 0; }
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); if (fails()) { errno = EIO; return -1; } return real(fd); }
int fdatasync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); if (fails()) { errno = EIO; return -1; } return real(fd); }
"""


@contextlib.contextmanager
def running(folder, environment=None):
    stack = Stack(folder, environment).start()
    try:
        yield Trial(stack, 4)
    finally:
        stack.stop()


def put_off(load, seconds: float) -> int:
    """How many calls got no answer, or that they should come later, during so many seconds."""
    before = load.history.count("unknown")
    time.sleep(seconds)
    return load.history.count("unknown") - before


@pytest.mark.parametrize("service", ["challenge", "verifier"] if LONG else ["challenge"])
def test_a_full_disk_stops_that_service_and_nothing_is_lost(tmp_path, service):
    folder = tmp_path / "var"
    disk = folder / service
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    try:
        with running(folder) as trial:
            with trial.load("disk-full", intents=BRISK) as load:
                load.until_redeemed(10)
                with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
                    while True:
                        filler.write(b"x" * 65536)
                try:
                    assert put_off(load, 4) > 0
                finally:
                    (disk / "filler").unlink()
                load.until_redeemed(20)
            trial.prove(tmp_path)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_disk_that_cannot_sync_is_never_trusted(tmp_path):
    source, shim, mark = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "fails"
    source.write_text(SHIM)
    subprocess.run(["clang", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    with running(tmp_path / "var", {"LD_PRELOAD": str(shim), "FSYNC_FAILS_WHILE": str(mark)}) as trial:
        with trial.load("fsync", intents=BRISK) as load:
            load.until_redeemed(10)
            mark.touch()
            try:
                assert put_off(load, 4) > 0
            finally:
                mark.unlink()
            load.until_redeemed(20)
        trial.prove(tmp_path)
