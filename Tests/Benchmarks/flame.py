"""Draws a flame graph (Brendan Gregg, "The Flame Graph", CACM 59.6) of one running process as one SVG file.

    scripts/flame SERVICE [--seconds N] [--rate HZ] [--out FILE] [--var FOLDER]

Each box is a function, as wide as the part of the samples in which it was on the stack; its callers are below it. Needs perf (Debian:
linux-perf) and the right to look at all processes.
"""

import argparse
import html
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

from . import machine

WIDTH, ROW, FONT = 1200, 17, 11
# Narrower boxes would not be seen.
PART_MIN = 0.0005
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)?$")


class Node:
    """A function as called by one chain of callers."""

    def __init__(self, name: str):
        self.name, self.samples, self.callees = name, 0, {}

    def add(self, stack: list[str]) -> None:
        """`stack` begins with the outermost caller."""
        node = self
        node.samples += 1
        for name in stack:
            node = node.callees.setdefault(name, Node(name))
            node.samples += 1

    @property
    def depth(self) -> int:
        return 1 + max((callee.depth for callee in self.callees.values()), default=0)


def stacks(text: str):
    """The stacks of what `perf script -F ip,sym` printed, each from the outermost caller on."""
    frames: list[str] = []
    for line in text.splitlines() + [""]:
        if match := FRAME.match(line):
            frames.append(match[1])
        elif frames:
            yield frames[::-1]
            frames = []


def svg(root: Node, title: str) -> str:
    boxes = []

    def draw(node: Node, x: float, level: int, depth: int) -> None:
        part = node.samples / root.samples
        if part < PART_MIN:
            return
        width, y = WIDTH * part, (depth - level - 1) * ROW + 24
        hue = 10 + zlib.crc32(node.name.encode()) % 45
        name = html.escape(node.name)
        label = html.escape(node.name[: int(width / (FONT * 0.6))]) if width > 30 else ""
        boxes.append(
            f'<g><title>{name}: {100 * part:.1f} %</title><rect x="{x:.1f}" y="{y}" width="{max(0.4, width - 0.4):.1f}" height="{ROW - 1}" '
            f'fill="hsl({hue} 80% 68%)"/><text x="{x + 3:.1f}" y="{y + 12}">{label}</text></g>')
        for callee in sorted(node.callees.values(), key=lambda callee: callee.name):
            draw(callee, x, level + 1, depth)
            x += WIDTH * callee.samples / root.samples

    depth = root.depth
    draw(root, 0, 0, depth)
    height = depth * ROW + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="{FONT}">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/><text x="6" y="16" font-size="13">{html.escape(title)}</text>{"".join(boxes)}</svg>\n')


def demangled(text: str) -> str:
    """Swift's names as they are written; C's stay."""
    return subprocess.run(["swift", "demangle", "--simplified"], input=text, capture_output=True, text=True, check=True).stdout


def recorded(pid: int, seconds: int, rate: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        # Of all cores, and then this process's part: looking at the process alone, perf has a buffer for each of its threads, and was woken by
        # them 80,000 times a second, on the cores that it looks at.
        record = ["perf", "record", "-q", "-a", "-F", str(rate), "--call-graph", "fp", "-o", data, "--", "sleep", str(seconds)]
        subprocess.run(record, check=True, stdout=subprocess.DEVNULL)
        return subprocess.run(["perf", "script", "-i", data, "--pid", str(pid), "-F", "ip,sym"], check=True, capture_output=True, text=True).stdout


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/flame", description="A flame graph of one process of `make run`, while it works.")
    parser.add_argument("service", help="policy, registration, challenge, verifier, notifier or gateway; the first of several")
    parser.add_argument("--seconds", type=int, default=20, help="how long to look (1 to 600)")
    parser.add_argument("--rate", type=int, default=499, help="samples a second of each core (1 to 10,000)")
    parser.add_argument("--out", type=pathlib.Path, help="the file to write (flame-SERVICE.svg)")
    parser.add_argument("--var", type=pathlib.Path, default=pathlib.Path("var"), help="the folder of the installation")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.seconds <= 600:
        parser.error("--seconds takes 1 to 600")
    if not 1 <= asked.rate <= 10_000:
        parser.error("--rate takes 1 to 10,000")
    try:
        supervisor = int((asked.var / "supervisor.pid").read_text())
        pid = min(machine.children(supervisor)[asked.service])
    except (OSError, ValueError, KeyError):
        parser.error(f"no {asked.service} of {asked.var} runs: make run ARGS=--detach")
    root = Node("all")
    for stack in stacks(demangled(recorded(pid, asked.seconds, asked.rate))):
        root.add(stack)
    if not root.samples:
        print(f"{asked.service} did nothing in {asked.seconds} s", file=sys.stderr)
        return 1
    out = asked.out or pathlib.Path(f"flame-{asked.service}.svg")
    out.write_text(svg(root, f"countersign-{asked.service}, {root.samples} samples in {asked.seconds} s"))
    print(f"{root.samples} samples in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
