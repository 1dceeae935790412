"""The numbers of processes that the first page shows."""

import collections
import pathlib
import re
import shutil
import tempfile

import pytest

from client import Application
from conftest import Someone
from stack import ROOT, Stack, make

from .conftest import LONG
from .test_scaled import arguments


@pytest.fixture
def stack():
    """Its folder and ports: nothing is started. The database's server runs as another user when the tests run as root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-", dir="/tmp"))
    folder.chmod(0o711)
    stack = Stack(folder / "var")
    yield stack
    make(stack, "stop")
    shutil.rmtree(folder)


@pytest.mark.skipif(not LONG, reason="more of everything than the other tests, started once more: in the long form alone")
def test_what_the_first_page_scales_to_starts_signs_in_and_stops(stack):
    scale = re.search(r'`make run SCALE="([^"]+)"`', (ROOT / "README.md").read_text())[1]
    wanted = dict.fromkeys(Stack.SERVICES, 1) | {service: int(count) for service, count in (pair.split("=") for pair in scale.split())}
    started = make(stack, "run", "ARGS=--detach", f"SCALE={scale}")
    assert started.returncode == 0, (started.stdout, started.stderr)
    supervisor = (stack.var / "supervisor.pid").read_text().strip()
    children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    # One that ends meanwhile has none.
    programs = collections.Counter(pathlib.Path(words[0]).name for pid in children if (words := arguments(int(pid))))
    assert {service: programs[f"countersign-{service}"] for service in wanted} == wanted
    assert (stack.var / "postgresql/data/postmaster.pid").exists()

    demo = stack.demo()
    someone = Someone(demo)
    first, *_, last = (Application({**demo, "base": f"http://127.0.0.1:{stack.first_port + number}"}) for number in range(wanted["gateway"]))
    request = first.begin(someone.username).json()
    reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert reply.json()["status"] == "approved", reply.text
    assert last.redeem(request).json()["user"]["username"] == someone.username

    stopped = make(stack, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n"), stopped.stderr
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children)
