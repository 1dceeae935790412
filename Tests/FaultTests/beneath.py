"""What processes stand on, broken on purpose: a disk that is full or cannot sync, a clock that jumps, descriptors that run out.

A library that is loaded before all others fails `fsync` and moves the wall clock while a file of its folder says so; the monotonic clock, by
which every deadline goes, is left alone."""

import contextlib
import pathlib
import resource
import subprocess

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static FILE *told(const char *what, const char *of) {
    char path[1024];
    const char *folder = getenv("COUNTERSIGN_BENEATH");
    if (!folder) return NULL;
    snprintf(path, sizeof path, "%s/%s%s", folder, what, of);
    return access(path, R_OK) == 0 ? fopen(path, "re") : NULL;
}
static int fails(void) {
    FILE *file = told("fsync", "");
    if (file) fclose(file);
    return file != NULL;
}
static long jump(void) {
    int kept = errno;
    long seconds = 0;
    FILE *file = told("clock.", program_invocation_short_name);
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    errno = kept;
    return seconds;
}
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); if (fails()) { errno = EIO; return -1; } return real(fd); }
int fdatasync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); if (fails()) { errno = EIO; return -1; } return real(fd); }
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += jump();
    return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int result = real(time, zone);
    if (result == 0) time->tv_sec += jump();
    return result;
}
time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}
"""


class Beneath:
    """`disks`: the services whose data lies on a disk of its own of so many megabytes, mounted before the processes start."""

    def __init__(self, folder: pathlib.Path, var: pathlib.Path, disks: list[str], megabytes: int):
        self.folder, self.var, self.disks = folder, var, disks
        source, library = folder / "beneath.c", folder / "beneath.so"
        source.write_text(SOURCE)
        subprocess.run(["clang", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "COUNTERSIGN_BENEATH": str(folder)}
        for service in disks:
            (var / service).mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", var / service], check=True)

    def remove(self) -> None:
        for service in self.disks:
            subprocess.run(["umount", "-l", self.var / service], check=True)

    @contextlib.contextmanager
    def full_disk(self, service: str):
        filler = self.var / service / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 65536)
        try:
            yield
        finally:
            filler.unlink()

    @contextlib.contextmanager
    def no_sync(self):
        with self._told("fsync", ""):
            yield

    @contextlib.contextmanager
    def clock_moved(self, service: str, seconds: int):
        with self._told(f"clock.countersign-{service}", str(seconds)):
            yield

    @contextlib.contextmanager
    def _told(self, name: str, text: str):
        whole = self.folder / "whole"
        whole.write_text(text)
        whole.rename(self.folder / name)
        try:
            yield
        finally:
            (self.folder / name).unlink()


# Standard input, output and error, and what the run loops opened first.
KEPT = 6


@contextlib.contextmanager
def no_descriptors(pid: int):
    """The process gets no further descriptor, until the end or its own: the limit is one of their numbers, and all below this one are
    of files that it never closes (getrlimit(2)). What a connection's end sets free is above."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (KEPT, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
