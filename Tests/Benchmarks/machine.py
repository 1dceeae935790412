"""What the kernel says of this machine and of processes: proc(5)."""

import dataclasses
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
DATABASE = "postgresql"
# To see whether a machine does something else.
LOOK_SECONDS = 3


@dataclasses.dataclass(frozen=True)
class Usage:
    """Of one process with those of its children that have ended, or of several together."""

    processor_seconds: float = 0
    resident_kib: int = 0
    threads: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.processor_seconds + other.processor_seconds, self.resident_kib + other.resident_kib, self.threads + other.threads)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, from the state on."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def usage(pid: int) -> Usage:
    fields = stat(pid)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    # One that has ended, and that its parent has not yet heard of, holds nothing.
    resident = re.search(r"^VmRSS:\s+(\d+)", status, re.M)
    return Usage(sum(map(int, fields[11:15])) / TICKS, int(resident[1]) if resident else 0, int(fields[17]))


def started_at(pid: int) -> float:
    """When the process was forked, on CLOCK_BOOTTIME, in seconds; exact to a tick (10 ms)."""
    return int(stat(pid)[19]) / TICKS


def children(parent: int) -> dict[str, list[int]]:
    """The process ids below `parent` by program, `countersign-` left out; a database server's own processes belong to it."""
    found: dict[str, list[int]] = {}

    def look_below(pid: int, server: str | None) -> None:
        try:
            below = [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return  # it has ended
        for child in below:
            name = server or program(child)
            if name:
                found.setdefault(name, []).append(child)
            look_below(child, name if name == DATABASE else None)

    look_below(parent, None)
    return found


def program(pid: int) -> str | None:
    """Which of the project's programs, or the database server; None for anything else."""
    try:
        name = pathlib.Path(os.fsdecode(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name
    except OSError:
        return None
    if name == "postgres":
        return DATABASE
    return name.removeprefix("countersign-") if name.startswith("countersign-") else None


def open_files(wanted: int) -> int:
    """How many files this process, and each that it starts, may open: as many as are wanted, or as this user may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted


def facts(folder: pathlib.Path) -> dict:
    """Of the machine, and of the disk that the stores are on."""
    cpu = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    root = pathlib.Path(__file__).resolve().parents[2]
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memoryMiB": int(memory[1]) // 1024,
        "kernel": platform.release(),
        "fileSystem": said(["stat", "-f", "-c", "%T", str(folder)]),
        "swift": said(["swift", "--version"]).split("\n")[0],
        "commit": said(["git", "-C", str(root), "rev-parse", "--short", "HEAD"]),
        "loadBefore": cores_in_use(LOOK_SECONDS),
    }


def cores_in_use(seconds: float) -> float:
    """How many cores are busy, on the mean of the next seconds. A load average tells of the build that has just ended, too."""
    def ticks() -> tuple[int, int]:
        values = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        # proc(5): the fourth and the fifth are idle, and idle with input or output under way.
        return sum(values) - values[3] - values[4], sum(values)

    before = ticks()
    time.sleep(seconds)
    busy, all_ = (after - then for after, then in zip(ticks(), before))
    return busy / all_ * os.cpu_count()


def said(command: list[str]) -> str:
    """What a command prints, or nothing where it cannot."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
