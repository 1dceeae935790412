"""Push providers for tests: the project's own doubles as a process, and a push service in Python whose browsers open what they get."""

import base64
import datetime
import http.server
import json
import pathlib
import secrets
import ssl
import subprocess
import threading

import http_ece
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from client import b64u
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
        self.certificate, key = self_signed(folder)
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

        for port in range(21_500, 31_500, 37):
            try:
                self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
                break
            except OSError:
                continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def subscribe(self) -> Subscription:
        subscription = Subscription(self.origin)
        self.subscriptions[subscription.path] = subscription
        return subscription

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


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
