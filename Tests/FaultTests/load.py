"""People who sign in again and again, each as a careful client does it: the same request repeated until it is answered."""

import contextlib
import itertools
import math
import random
import threading
import time

import pyotp
import requests

from client import Application, Phone, digest, jwk
from conftest import Someone

from .checker import violations
from .history import Event, History

# How long a client goes on repeating. Longer than any fault of a test, so that what is not answered by then hangs.
PATIENCE = 60
PAUSE = 0.05
SETTINGS = {"requestLifetimeSeconds": 30, "redeemWindowSeconds": 30, "openRequestsPerPerson": 5, "requestBudget": 50, "requestBudgetWindowMinutes": 1}
# Without what waits for its time to pass: once it is over, nothing is open.
BRISK = ["approve"] * 8 + ["decline", "cancel", "race", "twice", "code"]
INTENTS = ["approve"] * 12 + ["decline", "wrong", "cancel", "race", "race", "twice", "twice", "code", "code", "silence"]


class Load:
    """`with Load(stack, people, seed) as load:` runs until the block ends; then every person finishes what is under way. `pace`: how
    many sign-ins a second all of them begin together; without one, each begins the next as soon as the last has ended. `watched`: of
    which share of them a page waits while they are answered."""

    def __init__(
        self, stack, people: list[Someone], seed: int, gateways: tuple[str, ...] = (), intents: list[str] = INTENTS, pace: float = math.inf,
        watched: float = 1 / 6,
    ):
        self.share_watched = watched
        self.stack, self.people, self.seed, self.intents = stack, people, seed, intents
        # Where the people go, in turn; otherwise to the one gateway that there is.
        self.gateways = gateways or (stack.base,)
        self.history = History()
        self.failures: list[BaseException] = []
        self._over = threading.Event()
        self._pause, self._lock, self._turn = 1 / pace, threading.Lock(), time.monotonic()

    def __enter__(self):
        self._threads = [
            threading.Thread(target=self._run, args=(Seat(self, someone, index),), daemon=True) for index, someone in enumerate(self.people)
        ]
        self.began = time.time()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed, *_):
        self._over.set()
        deadline = time.monotonic() + 2 * PATIENCE
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self.ended = time.time()
        if failed:
            return
        assert not any(thread.is_alive() for thread in self._threads), "somebody still waits"
        if self.failures:
            raise self.failures[0]

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def redeemed(self) -> int:
        return self.history.count("ok", "redeem")

    def until_redeemed(self, further: int, seconds: float = 30) -> float:
        """Returns how long it took until so many more sign-ins were through."""
        started, goal = time.monotonic(), self.redeemed() + further
        self.stack.wait_for(lambda: self.redeemed() >= goal or self.failures, seconds, f"{further} more sign-ins")
        return time.monotonic() - started

    def rate(self, operation: str, seconds: float) -> float:
        """How many of an operation succeed a second, over the next so many seconds."""
        before, begun = self.history.count("ok", operation), time.monotonic()
        time.sleep(seconds)
        return (self.history.count("ok", operation) - before) / (time.monotonic() - begun)

    def _run(self, seat: "Seat") -> None:
        try:
            while not self.is_over:
                with self._lock:
                    turn = self._turn
                    self._turn += self._pause
                # Who is late begins at once: what a fault held up is begun after it.
                if not self._over.wait(max(0, turn - time.monotonic())):
                    seat.sign_in()
        except BaseException as failure:
            self.failures.append(failure)

    def put_off(self, since: float = 0, until: float = math.inf) -> list[Event]:
        """The calls, begun in this time, that got no answer, or that they should come later."""
        begun = {event.call for event in self.history.events if event.kind == "invoke" and since <= event.at <= until}
        return [event for event in self.history.events if event.kind == "unknown" and event.call in begun]

    def accepted(self) -> set[str]:
        return self.history.accepted()

    def violations(self, log: dict[str, dict]) -> list[str]:
        """What the checker finds, once the load is over and nothing of it is open in the sign-in log."""
        return violations(self.history, log, {someone.username: jwk(someone.phone.key) for someone in self.people}, (self.began, self.ended))


class Seat:
    """One person with a browser and a phone of their own connections."""

    def __init__(self, load: Load, someone: Someone, index: int):
        self.load, self.someone, self.history = load, someone, load.history
        self.gateway = load.gateways[index % len(load.gateways)]
        self.application = Application({**load.stack.demo(), "base": self.gateway})
        self.phone = self.same_phone()
        self.codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
        self.random = random.Random(load.seed * 1000 + index)
        self.turns = itertools.count()

    def same_phone(self) -> Phone:
        """The person's phone: what it signs names the one external URL, wherever it is sent."""
        return self.someone.phone.at(self.gateway)

    def go_elsewhere(self) -> None:
        """To the next gateway, as whoever has several addresses does when one does not answer."""
        gateways = self.load.gateways
        self.gateway = gateways[(gateways.index(self.gateway) + 1) % len(gateways)]
        self.application.base = self.phone.origin = self.gateway

    def call(self, operation: str, sign_in: str | None, make, ok=(200,), **facts):
        """Repeats until an answer came, and tells the history of each try. 503 says: later; it may or may not have happened."""
        deadline = time.monotonic() + PATIENCE
        while True:
            call = self.history.invoke(operation, sign_in, **facts)
            try:
                reply = make()
            except requests.RequestException as problem:
                self.history.end(call, "unknown", operation, sign_in, error=type(problem).__name__)
                self.go_elsewhere()
            else:
                if reply.status_code != 503:
                    body = reply.json() if reply.content else {}
                    if reply.status_code in ok:
                        known = body if operation == "redeem" else {}
                        told = {"status": body["status"]} if "status" in body else {}
                        self.history.end(call, "ok", operation, sign_in or body.get("id"), **told, **({"reply": known} if known else {}))
                    else:
                        self.history.end(call, "refused", operation, sign_in, code=body.get("code"))
                    return reply
                told = {"request": reply.headers.get("X-Request-Id"), "retryAfter": reply.headers.get("Retry-After")}
                self.history.end(call, "unknown", operation, sign_in, error="503", **told)
            assert time.monotonic() < deadline, f"{operation} of {sign_in}: no answer for {PATIENCE} s"
            time.sleep(PAUSE)

    def sign_in(self) -> None:
        intent = self.random.choice(self.load.intents)
        step = int(time.time()) // self.codes.interval
        if intent == "code" and step <= getattr(self.someone, "step", 0):
            intent = "approve"
        name, key = self.someone.username, f"{self.load.seed}-{self.phone.id}-{next(self.turns)}"
        factor = "secondFactor" if intent == "code" else "passwordless"
        begun = self.call(
            "begin", None, lambda: self.application.begin(name, factor=factor, headers={"Idempotency-Key": key}), ok=(201,), key=key, username=name
        )
        assert begun.status_code == 201, begun.text
        request = begun.json()
        if intent == "silence":
            return
        if intent == "cancel":
            self.settle("cancel", request, lambda: self.application.cancel(request), (204,))
            return
        if intent == "code":
            # A step is used once, in this load and in those that follow.
            self.someone.step = step
            code = self.codes.at(step * self.codes.interval)
            late = lambda: time.time() > (step + 1) * self.codes.interval
            self.settle("code", request, lambda: self.application.code(request, code), may_be=lambda: 422 if late() else 409, username=name, step=step)
        else:
            self.answer(intent, request)
        self.wait(request)
        self.redeem(request, key)

    def settle(self, operation: str, request: dict, make, ok=(200,), may_be=lambda: 409, **facts):
        reply = self.call(operation, request["id"], make, ok, **facts)
        assert reply.status_code in (*ok, 409, 410, may_be()), f"{operation}: {reply.text}"

    def answer(self, intent: str, request: dict) -> None:
        listed = self.call("list", request["id"], lambda: self.phone.call("GET", "/challenges"))
        assert listed.status_code == 200, listed.text
        challenge = next((item for item in listed.json()["challenges"] if item["id"] == request["id"]), None)
        # A request whose turn came after its lifetime, behind a fault, is listed no more, and one too many never was.
        if challenge is None:
            return
        right, wrong = request["number"], str(int(request["number"]) % 90 + 10)
        answers = {
            "approve": [("approve", right)], "decline": [("decline", None)], "wrong": [("approve", wrong)], "race": [("approve", right), ("decline", None)],
            # Two signatures over the same are two answers.
            "twice": [("approve", right), ("approve", right)],
        }[intent]
        texts = [(decision, number, self.phone.answer_text(challenge, decision, number)) for decision, number in answers]
        threads = [threading.Thread(target=self.send, args=(request, *text), daemon=True) for text in texts[1:]]
        with self.watched(request):
            for thread in threads:
                thread.start()
            self.send(request, *texts[0])
            for thread in threads:
                thread.join()

    def send(self, request: dict, decision: str, number: str | None, text: str) -> None:
        try:
            # Connections of its own: two answers race.
            facts = {"decision": decision, "number": number, "answer": digest(text.encode())}
            self.settle("answer", request, lambda: self.same_phone().send_answer(request["id"], text), **facts)
        except BaseException as failure:
            self.load.failures.append(failure)

    @contextlib.contextmanager
    def watched(self, request: dict):
        """Now and then a page of its own connections waits while the block answers, until it is told."""
        if self.random.random() >= self.load.share_watched:
            yield
            return
        page = threading.Thread(target=Seat(self.load, self.someone, self.load.gateways.index(self.gateway)).watch, args=(request,), daemon=True)
        page.start()
        yield
        page.join()

    def watch(self, request: dict) -> None:
        try:
            while self.reading(request, 20) == "pending":
                pass
        except BaseException as failure:
            self.load.failures.append(failure)

    def wait(self, request: dict) -> None:
        for seconds in (0, 2):
            self.reading(request, seconds)

    def reading(self, request: dict, seconds: int) -> str:
        reply = self.call("wait", request["id"], lambda: self.application.call("GET", request, f"?wait={seconds}"), seconds=seconds)
        assert reply.status_code == 200, reply.text
        return reply.json()["status"]

    def redeem(self, request: dict, key: str) -> None:
        """Once with a key, as often as it takes, and once more without: that one is never granted."""
        headers = {"Idempotency-Key": "redeem-" + key}
        facts = {"username": self.someone.username}
        reply = self.call("redeem", request["id"], lambda: self.application.redeem(request, headers=headers), key=key, **facts)
        assert reply.status_code in (200, 409, 410), reply.text
        if reply.status_code == 200:
            self.call("redeem", request["id"], lambda: self.application.redeem(request), key=key + "-again", **facts)
