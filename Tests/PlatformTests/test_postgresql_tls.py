"""PostgreSQL over TLS with `sslmode=verify-full`: only the server that the operator's authority has named is spoken to."""

import datetime
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stack import BIN, ROOT, Stack, free_ports


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


class Authority:
    def __init__(self, folder: pathlib.Path, called: str):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name(called)
        self.file = folder / f"{called}.pem"
        self.file.write_bytes(self.sign(self.name, self.key, x509.BasicConstraints(True, None)))

    def sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> bytes:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Server:
    """A private server that takes nothing but TLS, with a certificate for the name `localhost` alone."""

    def __init__(self, folder: pathlib.Path):
        self.var, self.port = folder, free_ports()
        subprocess.run([ROOT / "scripts/postgresql", "prepare", folder], check=True)
        self.authority = Authority(folder, "authority")
        data, key = folder / "postgresql/data", ec.generate_private_key(ec.SECP256R1())
        self.write(data / "server.crt", self.authority.sign(name("database"), key, x509.SubjectAlternativeName([x509.DNSName("localhost")])))
        self.write(
            data / "server.key", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write("\nssl = on\n")
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen([ROOT / "scripts/postgresql", "run", folder, str(self.port)], stdout=self.log, stderr=subprocess.STDOUT)
        self.socket = folder / "postgresql/socket"
        ready = ["pg_isready", "-q", "-h", self.socket, "-p", str(self.port)]
        Stack.wait_for(lambda: subprocess.run(ready).returncode == 0, 30, "the server to be ready")

    @staticmethod
    def write(path: pathlib.Path, content: bytes) -> None:
        path.write_bytes(content)
        path.chmod(0o600)
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def ask(self, statement: str) -> str:
        command = ["psql", "-qtA", "-h", self.socket, "-p", str(self.port), "-U", "postgres", "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self.log.close()


@pytest.fixture(scope="module")
def server():
    # As for every such server: another user's, so pytest's own folders are out of its reach.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-", dir="/tmp"))
    folder.chmod(0o711)
    server = Server(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


def policy(server: Server, url: str) -> subprocess.Popen:
    """The policy service, on this database."""
    return subprocess.Popen(
        [
            BIN / "countersign-policy", f"--bus.keys={server.var / 'keys'}", f"--bus.bind=tcp://127.0.0.1:{server.port + 1}",
            f"--operations.address=127.0.0.1:{server.port + 2}", f"--secrets.keyFile={server.var / 'keys/policy.sealing.key'}",
            f"--policy.operatorTokenFile={server.var / 'keys/operator.token'}", "--store.kind=postgresql", f"--store.postgresql.url={url}",
            f"--store.postgresql.passwordFile={server.var / 'keys/postgresql.password'}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )


def test_the_server_that_is_named_is_spoken_to_over_tls(server):
    process = policy(server, f"postgresql://countersign@localhost:{server.port}/countersign?sslmode=verify-full&sslrootcert={server.authority.file}")

    def has_store() -> bool:
        assert process.poll() is None, process.stderr.read()
        try:
            return requests.get(f"http://127.0.0.1:{server.port + 2}/readyz", timeout=5).json()["dependencies"].get("store", False)
        except requests.ConnectionError:
            return False

    try:
        Stack.wait_for(has_store, 20, "the service to be ready")
        sessions = server.ask("SELECT bool_and(ssl), count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'countersign-policy'")
        assert sessions == "t|t"
    finally:
        process.terminate()
        status = process.wait(timeout=30)
        process.stderr.close()
    assert status == 0


REFUSED = {
    "another authority's certificate": (lambda server: f"localhost:{server.port}/countersign?sslmode=verify-full&sslrootcert={Authority(server.var, 'stranger').file}", "certificate verify failed"),
    "a certificate for another name": (lambda server: f"127.0.0.1:{server.port}/countersign?sslmode=verify-full&sslrootcert={server.authority.file}", "does not match host name"),
    "no TLS": (lambda server: f"localhost:{server.port}/countersign?sslmode=disable", "no encryption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_any_other_connection_is_refused_in_words(server, case):
    place, words = REFUSED[case]
    process = policy(server, f"postgresql://countersign@{place(server)}")
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 69, complaint
    assert words in complaint
