"""A peer of the bus, written from docs/protocol/messaging.md alone as of version 1.0, without extensions. It is kept as it is: what speaks
to it speaks to a process of an earlier version."""

import contextlib
import itertools
import pathlib
import secrets
import struct
import threading
import time

import zmq

HEADER = struct.Struct("<HBBBBHQ16sQHHI16sQQQII")
MAGIC, MAJOR, MINOR = 0x5A51, 1, 0
HELLO, READY, REQUEST, REPLY, NACK, CANCEL, CREDIT, HEARTBEAT, GOAWAY, DISCONNECT = range(1, 11)
DENIED = 5


def frame(kind: int, body: bytes = b"", *, sequence=0, request=bytes(16), deadline=0, method=0, status=0, credit=0, flags=0) -> bytes:
    fields = (MAGIC, MAJOR, MINOR, kind, flags, HEADER.size, sequence, request, deadline, method, 0, status, bytes(16), 0, 7, credit, 0, len(body))
    return HEADER.pack(*fields) + body


class Frame:
    def __init__(self, data: bytes):
        header = HEADER.unpack_from(data)
        (_, self.major, _, self.kind, self.flags, length, self.sequence, self.request, self.deadline, self.method, _, self.status) = header[:12]
        self.credit = header[15]
        self.body = data[length:]


def values(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", tag, len(value)) + value for tag, value in pairs)


def first_value(body: bytes) -> bytes:
    _, length = struct.unpack_from("<HH", body)
    return body[4 : 4 + length]


def message(*fields: tuple[int, str | bytes]) -> bytes:
    """A protobuf message of short texts and bytes."""
    encoded = b""
    for number, value in fields:
        value = value.encode() if isinstance(value, str) else value
        assert len(value) < 128
        encoded += bytes([number << 3 | 2, len(value)]) + value
    return encoded


def key(folder: pathlib.Path, name: str) -> bytes:
    return (folder / name).read_bytes().strip()


class Caller:
    """One connection to one callee. `None` for a mechanism is none at all."""

    def __init__(self, endpoint: str, service: str, server: bytes | None, secret: bytes | None = None, **options):
        # A context of its own, whose threads end with it: none is left when the interpreter ends.
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        # A connection that was refused takes nothing more, and libzmq would wait for another.
        self.socket.sndtimeo = 1_000
        for name, value in options.items():
            setattr(self.socket, name, value)
        if server is not None:
            self.socket.curve_serverkey = server
            self.socket.curve_secretkey = secret
            self.socket.curve_publickey = zmq.curve_public(secret)
        self.socket.connect(endpoint)
        self.sequences = itertools.count(1)
        self.socket.send(frame(HELLO, values((1, service.encode()))))

    @classmethod
    def of(cls, stack, callee: str, service: str, **options) -> "Caller":
        """As a service of a running stack, with its key."""
        keys = stack.var / "keys"
        return cls(stack.bus(callee), service, key(keys, f"{callee}.pub"), key(keys, f"{service}.key"), **options)

    def receive(self, seconds: float, *kinds: int) -> Frame | None:
        """The next frame of these kinds; None when there is none in time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.socket.poll(max(1, int(left * 1000))):
                received = Frame(self.socket.recv())
                if received.kind in kinds:
                    return received
        return None

    def is_ready(self, seconds: float = 5) -> bool:
        return self.receive(seconds, READY) is not None

    def ask(self, method: int, body: bytes, seconds: float = 5) -> Frame | None:
        try:
            self.socket.send(
                frame(REQUEST, body, sequence=next(self.sequences), request=secrets.token_bytes(16), deadline=int(seconds * 1e6), method=method, flags=1)
            )
        except zmq.Again:
            return None
        return self.receive(seconds, REPLY, NACK)

    def close(self) -> None:
        self.context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Instance(threading.Thread):
    """An instance of a service: it answers its callers by asking another instance, as each of them, so that all that it does itself is the
    protocol."""

    WINDOW = 64

    def __init__(self, stack, service: str, port: int):
        super().__init__(daemon=True)
        self.stack, self.service, self.endpoint = stack, service, f"tcp://127.0.0.1:{port}"
        self.answered = 0
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.curve_server = True
        self.socket.curve_secretkey = key(stack.var / "keys", f"{service}.key")
        self.socket.bind(self.endpoint)
        self.callers: dict[bytes, Caller] = {}
        # By caller's connection, as are those to the other instance: so call-seqs are the same on both.
        self.highest: dict[bytes, int] = {}
        self.over = threading.Event()

    def run(self) -> None:
        try:
            self.serve()
        finally:
            for caller in self.callers.values():
                caller.close()
            self.context.destroy(linger=0)

    def serve(self) -> None:
        beat = 0.0
        while not self.over.is_set():
            poller = zmq.Poller()
            poller.register(self.socket, zmq.POLLIN)
            for caller in self.callers.values():
                poller.register(caller.socket, zmq.POLLIN)
            ready = dict(poller.poll(100))
            if self.socket in ready:
                self.hear(*self.socket.recv_multipart())
            for session, caller in list(self.callers.items()):
                if caller.socket in ready:
                    self.give_back(session, caller.socket.recv())
            if time.monotonic() > beat:
                beat = time.monotonic() + 1
                for session, caller in self.callers.items():
                    self.send(session, frame(HEARTBEAT, credit=self.credit(session)))
                    caller.socket.send(frame(HEARTBEAT, sequence=self.highest[session]))

    def credit(self, session: bytes) -> int:
        return self.highest[session] + self.WINDOW

    def send(self, session: bytes, data: bytes) -> None:
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([session, data])

    def hear(self, session: bytes, data: bytes) -> None:
        received = Frame(data)
        if received.kind == HELLO:
            self.callers[session] = Caller.of(self.stack, self.service, first_value(received.body).decode())
            self.highest[session] = 0
            self.send(session, frame(READY, values((1, self.service.encode()), (2, struct.pack("<I", 1000))), credit=self.WINDOW))
        elif received.kind == DISCONNECT:
            self.callers.pop(session).close()
        elif session in self.callers and received.kind in (REQUEST, CANCEL):
            # Parked requests count for themselves (section 6).
            if received.sequence < 1 << 63:
                self.highest[session] = max(self.highest[session], received.sequence)
            self.callers[session].socket.send(
                frame(
                    received.kind, received.body, sequence=received.sequence, request=received.request, deadline=received.deadline,
                    method=received.method, flags=received.flags & 7,
                )
            )

    def give_back(self, session: bytes, data: bytes) -> None:
        received = Frame(data)
        if received.kind in (REPLY, NACK):
            self.answered += received.kind == REPLY
            self.send(
                session,
                frame(
                    received.kind, received.body, sequence=received.sequence, request=received.request, method=received.method,
                    status=received.status, credit=self.credit(session),
                ),
            )

    def stop(self) -> None:
        self.over.set()
        self.join(5)
        assert not self.is_alive(), "the instance does not end"
