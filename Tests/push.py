"""Push providers for tests: the project's own doubles as a process, and in Python a push service whose browsers open what they get, and a
provider that keeps what it gets."""

import base64
import datetime
import http.server
import json
import pathlib
import queue
import secrets
import socket
import socketserver
import ssl
import subprocess
import threading

import h2.config
import h2.connection
import h2.events
import http_ece
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from client import b64u, unb64u
from stack import BIN


def write_private(path: pathlib.Path, text: str) -> pathlib.Path:
    path.touch(0o600)
    path.write_text(text)
    return path


def self_signed(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Certificate and key for `localhost`."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Not the name that the doubles' certificate has: an issuer is looked for by its name.
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "push service of tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = write_private(folder / "service-certificate.pem", made.public_bytes(serialization.Encoding.PEM).decode())
    return certificate, write_private(folder / "service-key.pem", secret.decode())


def serve_over_tls(handler: type, certificate: pathlib.Path, key: pathlib.Path, *protocols: str) -> http.server.ThreadingHTTPServer:
    """A server on 127.0.0.1, known as `localhost`, below the ephemeral ports."""
    for port in range(21_500, 31_500, 37):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
            break
        except OSError:
            continue
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if protocols:
        context.set_alpn_protocols(protocols)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Subscription:
    """One browser's: it opens what is sent to it with http_ece, which shares nothing with the sender."""

    def __init__(self, origin: str):
        self.path = "/push/" + secrets.token_urlsafe(12)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = secrets.token_bytes(16)
        point = self.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.address = {"transport": "webpush", "endpoint": origin + self.path, "p256dh": b64u(point), "auth": b64u(self.secret)}
        self.received: list[tuple[dict, bytes]] = []
        self.arrived = threading.Semaphore(0)
        # Its messages arrive here before they are answered, which they are while this is set.
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()
        self.answers.set()
        # What the service answers from now on.
        self.status = 201

    def open(self, sealed: bytes) -> bytes:
        return http_ece.decrypt(sealed, private_key=self.key, auth_secret=self.secret, version="aes128gcm")

    def wait(self, seconds: float = 20) -> tuple[dict, bytes]:
        assert self.arrived.acquire(timeout=seconds), "nothing arrived"
        return self.received[-1]


class PushService:
    """A push service (RFC 8030) over TLS on 127.0.0.1, known as `localhost`."""

    def __init__(self, folder: pathlib.Path):
        self.subscriptions: dict[str, Subscription] = {}
        self.certificate, self.key = self_signed(folder)
        subscriptions = self.subscriptions

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                subscription = subscriptions[self.path]
                subscription.asked.release()
                subscription.answers.wait(60)
                self.send_response(subscription.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                subscription.received.append((dict(self.headers), body))
                subscription.arrived.release()

            def log_message(self, *arguments):
                pass

        self.server = serve_over_tls(Handler, self.certificate, self.key)
        self.origin = f"https://localhost:{self.server.server_port}"

    def subscribe(self) -> Subscription:
        subscription = Subscription(self.origin)
        self.subscriptions[subscription.path] = subscription
        return subscription

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Provider:
    """APNs, and FCM with its token endpoint, over TLS and HTTP/2 on 127.0.0.1, known as `localhost`. It checks nothing: a test does."""

    def __init__(self, certificate: pathlib.Path, key: pathlib.Path):
        # Headers, the pseudo-headers among them, and the body of each message, and what access tokens were asked for with.
        self.messages: queue.Queue[tuple[dict, bytes]] = queue.Queue()
        self.token_requests: list[tuple[dict, bytes]] = []
        # What it answers to each message from now on.
        self.status, self.answer = 200, {}
        self.connections: set[socket.socket] = set()
        provider = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                provider.connections.add(self.request)
                try:
                    provider.serve(self.request)
                except OSError:
                    pass

        self.server = serve_over_tls(Handler, certificate, key, "h2")
        self.origin = f"https://localhost:{self.server.server_port}"

    def serve(self, connection: socket.socket) -> None:
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        requests: dict[int, tuple[dict, bytearray]] = {}
        while data := connection.recv(65_536):
            for event in http2.receive_data(data):
                match event:
                    case h2.events.RequestReceived():
                        requests[event.stream_id] = (dict(event.headers), bytearray())
                    case h2.events.DataReceived():
                        requests[event.stream_id][1].extend(event.data)
                        http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case h2.events.StreamEnded():
                        headers, body = requests.pop(event.stream_id)
                        status, answer = self.take(headers, bytes(body))
                        http2.send_headers(event.stream_id, [(":status", str(status)), ("content-type", "application/json")])
                        http2.send_data(event.stream_id, json.dumps(answer).encode(), end_stream=True)
            connection.sendall(http2.data_to_send())

    def take(self, headers: dict, body: bytes) -> tuple[int, dict]:
        if headers[":path"] == "/token":
            self.token_requests.append((headers, body))
            return 200, {"access_token": f"access-{len(self.token_requests)}", "expires_in": 3600, "token_type": "Bearer"}
        self.messages.put((headers, body))
        return self.status, self.answer

    def stop(self) -> None:
        """Nobody listens any more, and every connection is closed."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Doubles:
    """`countersign-push-double` as a process, which writes keys and accounts into its folder. `taken` is what each has taken so far."""

    def __init__(self, folder: pathlib.Path, port: int, *options: str):
        self.folder, self.port = folder, port
        self.taken = {"apns": 0, "fcm": 0, "webpush": 0}
        self.process = subprocess.Popen(
            [BIN / "countersign-push-double", "--folder", folder, "--port", str(port), *options], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.subscription = json.loads(self.process.stdout.readline().split("subscription: ", 1)[1])
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if line.startswith("taken: ") and line.endswith("\n"):
                pairs = (part.split() for part in line[len("taken: "):].split(","))
                self.taken = {name: int(count) for name, count in pairs}

    def addresses(self) -> dict[str, dict]:
        return {
            "apns": {"transport": "apns", "token": secrets.token_hex(32)},
            "fcm": {"transport": "fcm", "token": secrets.token_urlsafe(32)},
            "webpush": {"transport": "webpush", **self.subscription},
        }

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def claims(token: str) -> dict:
    """Of a JWS whose signature the caller has not checked."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def is_signed(token: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bool:
    """Whether a JWS is this key's: ES256 or RS256 (RFC 7518 sections 3.3 and 3.4)."""
    text, _, last = token.rpartition(".")
    signature = unb64u(last)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), text.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
