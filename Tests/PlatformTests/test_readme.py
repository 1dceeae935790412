"""What the README shows of the commands is what they show: the same two terminals, side by side."""

import os
import pty
import re
import secrets
import select
import subprocess
import time

from client import Administrator
from stack import BIN, ROOT

# What is another at each run, and what stands for it.
VARYING = [
    (r"127\.0\.0\.1(:|%3A)\d+", r"127.0.0.1\g<1>8080"),
    (r"ticket=[^&\s]*", "ticket=…"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, \d+ s left", "<time>, <seconds> s left"),
    (r"(?m)^(Number(?: \(.*\))?:? +|The number is )\d+", r"\1<number>"),
    (r"(?m)^(  Request +)\S+$", r"\1<id>"),
    (r"(?m)^(Receipt +)\S+$", r"\1<receipt>"),
    (r"\[[\w-]{20,}\]", "[<id>]"),
    (r"\[[\w-]+…\]", "[<id>]"),
]


class Terminal:
    """A command in a terminal of its own, and all that it shows, what is typed included."""

    def __init__(self, *command):
        self.main, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        self.screen = ""

    def shows(self, pattern: str) -> re.Match:
        deadline = time.monotonic() + 40
        while not (found := re.search(pattern, self.screen, re.M)):
            assert self._read(deadline), f"ended, or waited 40 s for {pattern}:\n{self.screen}"
        return found

    def type(self, line: str) -> None:
        os.write(self.main, (line + "\n").encode())

    def ends(self) -> str:
        deadline = time.monotonic() + 40
        while self._read(deadline):
            pass
        status = self.process.wait(timeout=10)
        os.close(self.main)
        assert status == 0, (status, self.screen)
        return self.screen

    def _read(self, deadline: float) -> bool:
        if not select.select([self.main], [], [], max(0, deadline - time.monotonic()))[0]:
            return False
        try:
            part = os.read(self.main, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            part = b""
        self.screen += part.decode().replace("\r\n", "\n")
        return bool(part)


def fixed(text: str) -> str:
    for pattern, stand_in in VARYING:
        text = re.sub(pattern, stand_in, text)
    return text.strip()


def shown_in_the_readme() -> dict[str, str]:
    """The output by the words behind the program's name."""
    blocks = re.findall(r"^```\n\$ \.build/release/(\S+ (?:try )?\S+)[^\n]*\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return {command: fixed(output) for command, output in blocks}


def test_the_readme_shows_what_the_commands_show(stack, demo, tmp_path):
    name = "p" + secrets.token_hex(6)
    Administrator(demo).create_user(name)
    admin, phone = BIN / "countersign-admin", [BIN / "countersign-phone", "--file", tmp_path / "phone.json"]
    found = {}

    page = Terminal(admin, "try", "add-phone", name, "--demo", stack.var / "demo.json")
    device = Terminal(*phone, "activate", page.shows(r"^Activation link +(\S+)\n")[1])
    device.shows(r"^Number: ")
    device.type(page.shows(r"^Number +(\d+)\n")[1])
    device.shows(r"\[Y/n\] ")
    device.type("y")
    number = device.shows(r"^The number is (\d+)\.\n")[1]
    device.shows(r"(?s)The number is .*^Number: ")
    device.type(number)
    found["countersign-phone activate"], found["countersign-admin try add-phone"] = device.ends(), page.ends()

    page = Terminal(admin, "try", "sign-in", name, "--demo", stack.var / "demo.json")
    number = page.shows(r"^Number +(\d+)\n")[1]
    device = Terminal(*phone, "listen", "--once")
    device.shows(r"^Number \(.*\): ")
    device.type(number)
    found["countersign-phone listen"], found["countersign-admin try sign-in"] = device.ends(), page.ends()

    readme = shown_in_the_readme()
    assert set(readme) == set(found)
    for command, screen in found.items():
        assert fixed(screen.replace(name, "alice").replace(name.capitalize(), "Alice")) == readme[command], screen
