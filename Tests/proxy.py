"""A proxy in front of a gateway that hands on bytes, and does to single requests what a test says."""

import contextlib
import enum
import socket
import socketserver
import threading

from stack import free_ports


class Fate(enum.Enum):
    """What becomes of a request, and of the connection that it came by."""

    PASSED = enum.auto()
    # Cut before the gateway gets it.
    LOST = enum.auto()
    # Cut when the first bytes of its answer have come through.
    BROKEN_OFF = enum.auto()
    # The gateway gets it, and its answer stays here until the end.
    HELD = enum.auto()


class Proxy(socketserver.ThreadingTCPServer):
    """`fate` is asked about each piece that a client sends: a request begins one."""

    def __init__(self, fate):
        super().__init__(("127.0.0.1", free_ports()), None)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.fate = fate
        self.gateway: tuple[str, int] | None = None
        # That were accepted so far.
        self.connections = 0
        self.holds_an_answer = threading.Event()
        self.is_over = threading.Event()

    @contextlib.contextmanager
    def serving(self, gateway: str):
        """Hands on to the gateway with this address while the block runs."""
        host, port = gateway.removeprefix("http://").split(":")
        self.gateway = (host, int(port))
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            self.shutdown()
            thread.join()

    def process_request(self, request, address):
        self.connections += 1
        super().process_request(request, address)

    def finish_request(self, request, _):
        with contextlib.suppress(OSError), socket.create_connection(self.gateway) as gateway:
            fates = {Fate.PASSED}
            answers = threading.Thread(target=self.answer, args=(gateway, request, fates))
            answers.start()
            with contextlib.suppress(OSError):
                while data := request.recv(65_536):
                    fates.add(self.fate(data))
                    if Fate.LOST in fates:
                        break
                    gateway.sendall(data)
            self.end(request, gateway)
            answers.join()

    def answer(self, gateway, request, fates):
        with contextlib.suppress(OSError):
            while data := gateway.recv(65_536):
                if Fate.HELD in fates:
                    self.holds_an_answer.set()
                    self.is_over.wait()
                request.sendall(data)
                if Fate.BROKEN_OFF in fates:
                    break
        self.end(request, gateway)

    @staticmethod
    def end(*sides):
        for side in sides:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
