"""What callers asked and what they were told, in the order in which it happened: the checker's only source beside the store."""

import dataclasses
import itertools
import json
import pathlib
import threading
import time


@dataclasses.dataclass
class Event:
    """`kind`: `invoke`, then one of `ok` (an answer with an effect or a reading), `refused` (no effect) and `unknown` (no answer, or one
    that says that it may have happened)."""

    call: int
    kind: str
    operation: str
    at: float
    sign_in: str | None = None
    facts: dict = dataclasses.field(default_factory=dict)
    # When the call of an end was begun; the checker pairs them.
    since: float = 0


class History:
    def __init__(self):
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self._calls = itertools.count(1)

    def invoke(self, operation: str, sign_in: str | None = None, **facts) -> int:
        call = next(self._calls)
        self._add(Event(call, "invoke", operation, time.monotonic(), sign_in, facts))
        return call

    def end(self, call: int, kind: str, operation: str, sign_in: str | None = None, **facts) -> None:
        self._add(Event(call, kind, operation, time.monotonic(), sign_in, facts))

    def count(self, kind: str, operation: str | None = None) -> int:
        with self._lock:
            return sum(1 for event in self.events if event.kind == kind and operation in (None, event.operation))

    def accepted(self) -> set[str]:
        """The sign-ins that somebody was told of."""
        return {event.sign_in for event in self.events if event.operation == "begin" and event.kind == "ok"}

    def _add(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def write(self, path: pathlib.Path) -> None:
        """One line an event, for reading after a failure."""
        with path.open("w") as file:
            for event in self.events:
                file.write(json.dumps(dataclasses.asdict(event)) + "\n")
