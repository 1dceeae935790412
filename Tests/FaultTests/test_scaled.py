"""Two of everything on one PostgreSQL server, through two gateways: processes and the database fail, and the others go on."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pyotp
import pytest
import requests

from bus import Caller, key
from client import Administrator, Application, Person, Phone
from conftest import Someone
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from push import PushService, write_private
from stack import BIN, ROOT, Stack

from . import network
from .conftest import LONG, PEOPLE, Trial
from .load import BRISK, SETTINGS
from .test_beneath import until_put_off
from .test_faults import POINTS

# The ports of its two servers, from the stack's first.
DATABASE, STANDBY = 10 + 16, 10 + 17
# Seconds until every caller has given up a callee that is silent; the short form also runs on busy machines.
NOTICED = 4 if LONG else 6
SCALE = "policy=2 registration=2 challenge=2 verifier=2 notifier=2 gateway=2"


class Scaled(Trial):
    def load(self, name: str, **options):
        first = self.stack.first_port
        return super().load(name, f"http://127.0.0.1:{first}", f"http://127.0.0.1:{first + 1}", **options)

    def restart(self, pid: int) -> None:
        """Tells a process to end, and returns when the one that follows it is ready."""
        address = operations(pid)
        os.kill(pid, signal.SIGTERM)

        is_back = lambda: is_ready(address) and any(operations(other) == address for other in self.processes() if other != pid)
        Stack.wait_for(is_back, 30, f"the process at {address} to be there again")

    def processes(self, word: str = "countersign-") -> list[int]:
        """The supervisor's children whose program's path has this word."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == self.stack.process.pid and word in (entry / "cmdline").read_bytes().split(b"\0")[0].decode():
                    found.append(int(entry.name))
            except OSError:
                continue
        return sorted(found)

    def figures(self, service: str, metric: str) -> dict[int, float]:
        """The sum over a metric's series in each process of a service that tells, by process id."""
        found = {}
        for pid in self.processes(f"countersign-{service}"):
            # One that has just been killed has no arguments any more, and the next one does not answer yet.
            if not (address := operations(pid)):
                continue
            try:
                text = requests.get(f"http://{address}/metrics", timeout=5).text
            except requests.ConnectionError:
                continue
            found[pid] = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(metric))
        return found

    @property
    def database_port(self) -> int:
        return self.stack.first_port + DATABASE

    @contextlib.contextmanager
    def given_up(self, service: str, seconds: float):
        """Every gateway gives an instance of the service up for what the block does to it, within so many seconds."""
        lost = lambda: self.figures("gateway", f'countersign_bus_callee_changes_total{{service="{service}",change="lost"}}')  # noqa: E731
        before = lost()
        yield
        Stack.wait_for(lambda: all(lost().get(pid, 0) > count for pid, count in before.items()), seconds, f"all gateways to give {service} up")

    def sql(self, statement: str, database: str = "postgres", place: int = DATABASE) -> str:
        port, socket = self.stack.first_port + place, self.stack.var / "postgresql/socket"
        arguments = ["psql", "-qAt", "-h", socket, "-p", str(port), "-U", "postgres", "-d", database, "-c", statement]
        return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout

    def start_standby(self) -> None:
        """A second server that has everything that was committed at the first. It ends after the stack."""
        ports = (str(self.stack.first_port + place) for place in (DATABASE, STANDBY))
        log = self.after_stop.enter_context(open(self.stack.var / "log/standby.log", "ab"))
        server = subprocess.Popen(["scripts/postgresql", "standby", self.stack.var, *ports], cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.after_stop.callback(server.wait, 30)
        self.after_stop.callback(server.send_signal, signal.SIGINT)
        states = lambda: self.sql("SELECT state, sync_state FROM pg_stat_replication").split()  # noqa: E731
        Stack.wait_for(lambda: states() == ["streaming|async"], 30, "the standby")
        # Its copy of the settings is older: once it is the first, it waits for nobody.
        self.sql("ALTER SYSTEM SET synchronous_standby_names TO '*'")
        self.sql("SELECT pg_reload_conf()")
        Stack.wait_for(lambda: states() == ["streaming|sync"], 10, "commits to wait for the standby")


def phone_at(gateway: str) -> Phone:
    phone = Phone()
    phone.origin = gateway
    return phone


def connected(port: int, pids: list[int]) -> list[int]:
    """Which of these processes have a TCP connection to a port of this machine (proc(5), /proc/net/tcp)."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{fields[9]}]" for fields in lines if fields[2].endswith(f":{port:04X}") and fields[3] == "01"}
    return [pid for pid in pids if sockets & {os.readlink(descriptor) for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir()}]


def arguments(pid: int) -> list[str]:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def operations(pid: int) -> str:
    """Where a process tells of itself; empty for one that does not, or has ended."""
    return next((word.partition("=")[2] for word in arguments(pid) if word.startswith("--operations.address=")), "")


@pytest.fixture(scope="module")
def scaled(failpoints):
    # A short path: the database's socket lies in it.
    folder = pathlib.Path(f"/tmp/countersign-scaled-{os.getpid()}")
    accounts = folder / "push"
    accounts.mkdir(mode=0o700, parents=True)
    vapid = ec.generate_private_key(ec.SECP256R1())
    pem = vapid.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    write_private(accounts / "vapid.pem", pem)
    write_private(accounts / "default.json", json.dumps({"webpush": {"keyFile": "vapid.pem", "subject": "mailto:operator@example.org"}}))
    service = PushService(accounts)
    push = {
        "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_TRUST_ROOTS": str(service.certificate),
        "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_WEB_PUSH_HOSTS": "localhost",
        "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_WEB_PUSH_BLOCKS": "127.0.0.0/8",
    }
    stack = Stack(folder, {"SCALE": SCALE, **push, **failpoints.environment})
    # The second one is there when a test makes it.
    stack.environment["COUNTERSIGN_DATABASE"] = ",".join(f"127.0.0.1:{stack.first_port + place}" for place in (DATABASE, STANDBY))
    stack.start()
    after_stop = contextlib.ExitStack()
    try:
        scaled = Scaled(stack, PEOPLE)
        scaled.push_service, scaled.after_stop = service, after_stop
        yield scaled
    finally:
        status, log = stack.stop(), stack.log()
        service.stop()
        after_stop.close()
        subprocess.run(["rm", "-rf", folder], check=True)
    assert status == 0, log[-2000:]


def test_a_random_process_is_killed_every_second(scaled):
    chance = random.Random(2)

    def kill():
        os.kill(chance.choice(scaled.processes()), signal.SIGKILL)
        time.sleep(1)

    scaled.strike(kill)


def test_the_same_code_races_at_two_verifiers_and_one_wins(scaled):
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    sides = [Application({**demo, "base": f"http://127.0.0.1:{first + number % 2}"}) for number in range(4)]
    before = scaled.figures("verifier", "countersign_codes_total")
    with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
        for someone in scaled.people:
            codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
            asked = [side.begin(someone.username, factor="secondFactor").json() for side in sides]
            # The first step that was not used; the next one is taken too.
            someone.step = max(int(time.time()) // codes.interval, getattr(someone, "step", 0) + 1)
            code = codes.at(someone.step * codes.interval)
            replies = list(pool.map(lambda pair: pair[0].code(pair[1], code), zip(sides, asked)))
            # Too many at once may also be told to wait.
            statuses = [reply.status_code for reply in replies]
            assert statuses.count(200) == 1 and {*statuses} <= {200, 422, 429}, [reply.text for reply in replies]
            redeemed = [side.redeem(request).status_code for side, request in zip(sides, asked)]
            assert sorted(redeemed) == [200, 409, 409, 409]
            assert redeemed.index(200) == statuses.index(200)
            for side, request in zip(sides, asked):
                side.cancel(request)
            # Who was too late has used a try: nobody waits for that in the loads that follow.
            assert someone.administrator.call("POST", f"/users/{someone.user['id']}:unlock-codes").status_code == 204
    judged = {pid: count - before[pid] for pid, count in scaled.figures("verifier", "countersign_codes_total").items()}
    assert min(judged.values()) > 0, judged


@pytest.mark.skipif(not LONG, reason="passes are hashed slowly, four at once")
def test_a_pass_and_a_ticket_race_at_two_registrations_and_one_wins(scaled):
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    bases = [f"http://127.0.0.1:{first + number % 2}" for number in range(4)]
    administrator, before = Administrator(demo), scaled.figures("registration", "countersign_registration_credentials_total")
    with concurrent.futures.ThreadPoolExecutor(len(bases)) as pool:
        for number in range(10):
            user = administrator.create_user(f"race-{number}")
            secret = administrator.issue_pass(user["id"])
            people = [Person(base, demo["tenant"]) for base in bases]
            replies = list(pool.map(lambda person: person.sign_in(user["username"], temporaryAccessPass=secret), people))
            statuses = [reply.status_code for reply in replies]
            # Passes are hashed slowly, so that one of many may also be told to come again.
            assert statuses.count(200) == 1 and {*statuses} <= {200, 401, 503}, [reply.text for reply in replies]

            address = people[statuses.index(200)].new_activation()["activationUri"]
            replies = list(pool.map(lambda base: phone_at(base).activate(address), bases))
            assert sorted((reply.status_code, reply.json().get("code")) for reply in replies) == [(201, None)] + 3 * [(409, "ticket_used")]
    judged = {pid: count - before[pid] for pid, count in scaled.figures("registration", "countersign_registration_credentials_total").items()}
    assert len(judged) == 2 and min(judged.values()) > 0, judged


@pytest.mark.parametrize("service", Stack.SERVICES[:4])
def test_one_of_two_stands_still_and_the_other_carries_on(scaled, service):
    with scaled.load(f"one-stopped-{service}") as load:
        load.until_redeemed(10)
        pid = scaled.processes(f"countersign-{service}")[0]
        try:
            # What was in its hands is given to the other after three beats that fail to come.
            with scaled.given_up(service, NOTICED):
                os.kill(pid, signal.SIGSTOP)
            load.until_redeemed(20, seconds=20)
            assert load.until_redeemed(10) < 6
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(20)


@pytest.mark.skipif(not LONG, reason="in the short form one stands still, and one of one is cut off")
@pytest.mark.parametrize("fault", [network.black_hole, network.deaf, network.mute], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("service", Stack.SERVICES[:4])
def test_one_of_two_is_cut_off_and_the_other_carries_on(scaled, service, fault):
    """The first one, by the ports of the services in their order (scripts/supervise)."""
    pids, port = scaled.processes(), int(scaled.stack.bus(service).rsplit(":", 1)[1])
    with scaled.load(f"one-{fault.__name__}-{service}", intents=BRISK) as load:
        load.until_redeemed(10)
        with contextlib.ExitStack() as cut:
            with scaled.given_up(service, NOTICED):
                cut.enter_context(fault(port))
            assert load.until_redeemed(20, seconds=20) < 10
        load.until_redeemed(20)
    assert scaled.processes() == pids


def test_redemptions_and_a_device_proof_race_at_two_processes_and_one_wins(scaled):
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    bases = [f"http://127.0.0.1:{first + number % 2}" for number in range(4)]
    sides = [Application({**demo, "base": base}) for base in bases]
    before = {service: scaled.figures(service, "countersign_handler_requests_total") for service in ("challenge", "verifier")}
    # Of whom no other request is open.
    someone = Someone(demo)
    phone = someone.phone
    with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
        for _ in range(10):
            request = sides[0].begin(someone.username).json()
            assert phone.answer(phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
            replies = list(pool.map(lambda side: side.redeem(request), sides))
            assert sorted((reply.status_code, reply.json().get("code")) for reply in replies) == [(200, None)] + 3 * [(409, "already_redeemed")]

            proof = phone.proof("GET", f"{phone.base}/v1/{phone.tenant}/devices/{phone.id}/challenges", None)
            replies = list(pool.map(lambda base: phone.at(base).call("GET", "/challenges", proof=proof), bases))
            assert sorted(reply.status_code for reply in replies) == [200, 401, 401, 401], [reply.text for reply in replies]
    for service, figures in before.items():
        handled = {pid: count - figures[pid] for pid, count in scaled.figures(service, "countersign_handler_requests_total").items()}
        assert len(handled) == 2 and min(handled.values()) > 10, (service, handled)


def test_requests_of_one_person_race_at_two_challenge_processes_and_no_more_are_open_than_may_be(scaled):
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    sides = [Application({**demo, "base": f"http://127.0.0.1:{first + number % 2}"}) for number in range(10)]
    handled = lambda: scaled.figures("challenge", "countersign_handler_requests_total")  # noqa: E731
    someone, before = Someone(demo), handled()
    with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
        for _ in range(4):
            replies = list(pool.map(lambda side: side.begin(someone.username), sides))
            assert {reply.status_code for reply in replies} == {201}, [reply.text for reply in replies]
            # What is beyond them looks the same to who asks, and reaches no phone.
            assert len(someone.phone.challenges()) == SETTINGS["openRequestsPerPerson"]
            for side, reply in zip(sides, replies):
                assert side.cancel(reply.json()).status_code == 204
            assert someone.phone.challenges() == []
    judged = {pid: count - before[pid] for pid, count in handled().items()}
    assert len(judged) == 2 and min(judged.values()) > 10, judged


def test_one_of_each_is_left_and_carries_on(scaled):
    with scaled.load("one-left", intents=BRISK) as load:
        load.until_redeemed(10)
        places = [operations(pid) for pid in scaled.processes()]
        # Who is killed stays dead while the supervisor stands still.
        os.kill(scaled.stack.process.pid, signal.SIGSTOP)
        try:
            for service in Stack.SERVICES:
                os.kill(scaled.processes(f"countersign-{service}")[0], signal.SIGKILL)
            killed = time.monotonic()
            load.until_redeemed(40)
            time.sleep(max(0, killed + 6 - time.monotonic()))
            left = time.monotonic()
        finally:
            os.kill(scaled.stack.process.pid, signal.SIGCONT)
        Stack.wait_for(lambda: all(map(is_ready, places)), 30, "the killed ones to be there again")
    begun = {event.sign_in for event in load.history.events if event.operation == "begin" and event.kind == "ok" and event.at > killed}
    through = min(event.at for event in load.history.events if event.operation == "redeem" and event.kind == "ok" and event.sign_in in begun)
    print(f"the first sign-in that began after the kill was through {through - killed:.2f} s after it")
    assert through - killed < 2
    # From then on nobody notices that half is missing.
    assert load.put_off(killed + 2, left) == []
    asked = {event.facts["username"] for event in load.history.events if event.kind == "invoke" and event.operation == "begin" and killed + 2 < event.at < left}
    assert asked == {someone.username for someone in scaled.people}


@pytest.mark.parametrize("path", ["?wait=30", "/redeem?wait=30"])
def test_who_holds_a_wait_is_killed_and_the_wait_ends_with_the_answer(scaled, path):
    """Begun and answered at one gateway, waited for at the other."""
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    # Of whom no other request is open.
    someone = Someone(demo)
    here, there = (Application({**demo, "base": f"http://127.0.0.1:{first + side}"}) for side in (0, 1))
    request = here.begin(someone.username).json()
    method, headers = ("POST", {"Idempotency-Key": f"held-{request['id']}"}) if "redeem" in path else ("GET", {})
    holders = lambda: [pid for pid, count in scaled.figures("challenge", "countersign_challenge_waits").items() if count > 0]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        reply = pool.submit(there.call, method, request, path, headers=headers)
        Stack.wait_for(lambda: len(holders()) == 1, 10, "the wait to be parked")
        os.kill(killed := holders()[0], signal.SIGKILL)
        Stack.wait_for(lambda: any(pid != killed for pid in holders()), 10, "the wait to be parked elsewhere")
        phone = someone.phone
        answered = phone.answer(phone.challenge(request["id"]), number=request["number"])
        assert answered.json() == {"status": "approved", "reason": None}, answered.text
        assert reply.result(5).status_code == 200
    assert (here.redeem(request).status_code == 200) == ("redeem" not in path)


def test_processes_are_restarted_in_turn_and_no_call_fails(scaled):
    pids = scaled.processes()
    gateways = [pid for pid in pids if arguments(pid)[0].endswith("gateway")]
    with scaled.load("rolling", intents=BRISK) as load:
        load.until_redeemed(5)
        for pid in pids:
            if pid not in gateways:
                scaled.restart(pid)
        load.until_redeemed(5)
    assert load.put_off() == []
    # Whose connection a gateway ends goes to the other one, and has the answer there.
    with scaled.load("rolling-gateways", intents=BRISK) as load:
        load.until_redeemed(5)
        for pid in gateways:
            scaled.restart(pid)
        load.until_redeemed(5)
    assert [event for event in load.put_off() if event.facts["error"] != "ConnectionError"] == []


@pytest.mark.parametrize("service", Stack.SERVICES if LONG else ["challenge"])
def test_a_service_gets_another_key_and_no_sign_in_fails(scaled, service):
    keys = scaled.stack.var / "keys"
    before = key(keys, f"{service}.key")
    refused = 'countersign_bus_faults_total{kind="refused_connection"}'
    other = "registration" if service != "registration" else "challenge"
    counted = scaled.stack.metric(other, refused)

    def rotate(*options: str) -> None:
        subprocess.run([BIN / "countersign-admin", "keys", "rotate", service, "--keys", keys, *options], check=True, stdout=subprocess.DEVNULL)

    with scaled.load(f"keys-{service}", intents=BRISK) as load:
        load.until_redeemed(5)
        rotate()
        assert key(keys, f"{service}.key") != before
        for pid in scaled.processes(f"countersign-{service}"):
            scaled.restart(pid)
        # Whoever asks finds out by trying which key a process has. That is no stranger; neither is who comes with the new one.
        assert (scaled.stack.metric(service, refused), scaled.stack.metric(other, refused)) == (0, counted)
        rotate("--step", "retire")
        load.until_redeemed(10)
    # Whose connection a gateway ends goes to the other one, and has the answer there.
    assert [event for event in load.put_off() if service != "gateway" or event.facts["error"] != "ConnectionError"] == []
    counted = scaled.stack.metric(other, refused)

    def is_refused() -> bool:
        with Caller(scaled.stack.bus(other), service, key(keys, f"{other}.pub"), before) as caller:
            return not caller.is_ready(1)

    # The processes look at the folder once a second.
    Stack.wait_for(is_refused, 5, "the retired key to be refused")
    assert scaled.stack.metric(other, refused) > counted


@pytest.mark.parametrize("method", ["Settle", "Redeem"] + (["BeginChallenge", "CancelChallenge"] if LONG else []))
def test_one_of_two_is_killed_at_each_point_of_a_request(scaled, failpoints, method):
    """Whoever repeats it comes to the other one, which finds in the database what the first has done."""
    # The short form has time for those at which an effect is made and nobody is told of it.
    scaled.kill_at_points(failpoints, method, POINTS if LONG else ("before-commit", "after-commit-before-reply"))


@pytest.mark.parametrize("method", ["Settle", "Redeem"])
def test_one_that_stood_still_before_its_commit_commits_nothing_late(scaled, failpoints, method):
    with scaled.load(f"late-{method}") as load:
        load.until_redeemed(5)
        pid = failpoints.wait(failpoints.arm("before-commit", method, "stop"))
        try:
            load.until_redeemed(10)
            time.sleep(12 if LONG else 1)
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(10)


def test_the_database_is_killed(scaled):
    with scaled.load("database-killed", intents=BRISK) as load:
        load.until_redeemed(10)
        killed = scaled.processes("/postgres")
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        load.until_redeemed(40)
    # Not only the supervisor's own child has ended: there is another one, which recovered.
    assert killed and not set(killed) & set(scaled.processes("/postgres"))


def test_a_wake_up_is_sent_by_one_notifier_and_by_another_when_that_is_killed(scaled):
    service, demo = scaled.push_service, scaled.stack.demo()
    subscription = service.subscribe()
    someone = Someone(demo)
    assert someone.phone.call("PATCH", "", {"push": subscription.address}).status_code == 200
    application = Application(demo)
    subscription.answers.clear()
    request = application.begin(someone.username).json()
    assert subscription.asked.acquire(timeout=20), "no wake-up came"
    [sender] = connected(service.server.server_port, scaled.processes("countersign-notifier"))
    # The other one looks every two seconds; while the first one's lease lasts it finds nothing.
    assert not subscription.asked.acquire(timeout=3), "two notifiers sent the same wake-up"
    os.kill(sender, signal.SIGKILL)
    subscription.answers.set()
    # As if the rest of the 30 s had passed for which the killed one had it.
    scaled.sql("UPDATE notifier.wake_up SET due_at = 0", database="countersign")
    assert subscription.asked.acquire(timeout=20), "nobody sent what the killed one had"
    assert sender not in connected(service.server.server_port, scaled.processes("countersign-notifier"))
    delivered = lambda: sum(scaled.figures("notifier", 'countersign_push_attempts_total{transport="webpush",outcome="delivered"').values())  # noqa: E731
    Stack.wait_for(lambda: delivered() == 1, 10, "the delivery to be counted, once")
    assert not subscription.asked.acquire(timeout=3), "it was sent again"
    reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert reply.json()["status"] == "approved", reply.text


def test_all_connections_of_the_database_are_cut(scaled):
    with scaled.load("database-cut", intents=BRISK) as load:
        for _ in range(20 if LONG else 5):
            load.until_redeemed(5)
            ended = scaled.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'countersign-%'").split()
            # Each of ten processes has one to listen on, and others.
            assert len(ended) > 10 and {*ended} == {"t"}, ended
        load.until_redeemed(20)


@pytest.mark.skipif(not LONG, reason="a connection is lost when it has been silent for 10 s")
def test_the_database_is_out_of_reach_for_a_while(scaled):
    with scaled.load("database-out-of-reach", intents=BRISK) as load:
        load.until_redeemed(10)
        with network.black_hole(scaled.database_port):
            time.sleep(15)
        load.until_redeemed(20)


def test_the_database_takes_no_writes_for_a_while(scaled):
    with scaled.load("database-read-only", intents=BRISK) as load:
        load.until_redeemed(10)
        scaled.sql("ALTER SYSTEM SET default_transaction_read_only TO on")
        scaled.sql("SELECT pg_reload_conf()")
        try:
            until_put_off(load)
            time.sleep(2)
        finally:
            scaled.sql("ALTER SYSTEM RESET default_transaction_read_only")
            scaled.sql("SELECT pg_reload_conf()")
        load.until_redeemed(20)


def test_the_database_is_killed_and_its_standby_takes_over(scaled):
    """The last of its faults: whoever begins after it finds the records at another server."""
    scaled.start_standby()
    with scaled.load("failover", intents=BRISK) as load:
        load.until_redeemed(10)
        # It comes back as one that may only be read, as a cluster manager would have it.
        (scaled.stack.var / "postgresql/data/standby.signal").touch()
        for pid in scaled.processes("/postgres"):
            os.kill(pid, signal.SIGKILL)
        scaled.sql("SELECT pg_promote()", place=STANDBY)
        load.until_redeemed(40)
    Stack.wait_for(lambda: scaled.sql("SELECT pg_is_in_recovery()") == "t\n", 10, "the first server to be there again")
    at = lambda place: int(scaled.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'countersign-%'", place=place))  # noqa: E731
    assert at(STANDBY) > 10 and at(DATABASE) == 0


def test_the_histories_are_clean(scaled, tmp_path_factory):
    scaled.prove(tmp_path_factory.mktemp("histories"))
