"""The TLS listener: HTTP/1.1 and HTTP/2 by configuration, cookies that need it, and no plain HTTP where it would be seen."""

import datetime
import ipaddress
import subprocess

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Someone
from stack import BIN, Gateway


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture(scope="module")
def secure(stack, certificate):
    port = stack.first_port + 36
    gateway = Gateway(
        stack, 3, f"--http.externalURL=https://127.0.0.1:{port}", f"--http.tls.certificate={certificate / 'cert.pem'}",
        f"--http.tls.key={certificate / 'key.pem'}", scheme="https",
    )
    yield gateway
    assert gateway.stop() == 0


@pytest.mark.parametrize("http2", (False, True))
def test_a_request_over_tls(secure, certificate, demo, http2):
    credentials = (demo["client"]["id"], demo["client"]["secret"])
    with httpx.Client(http2=http2, http1=not http2, verify=str(certificate / "cert.pem"), auth=credentials) as http:
        reply = http.post(f"{secure.address}/v1/demo/sign-ins", json={"username": "alice"})
        assert reply.status_code == 201, reply.text
        assert reply.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        missing = http.get(f"{secure.address}/v1/demo/sign-ins/nothing", headers={"Sign-In-Secret": "A" * 43})
        assert missing.status_code == 404 and missing.json()["requestId"] == missing.headers["X-Request-Id"]


def test_a_session_cookie_over_tls_is_bound_to_the_host_and_secure(secure, certificate, demo):
    person = Someone(demo)
    with httpx.Client(verify=str(certificate / "cert.pem")) as http:
        reply = http.post(f"{secure.address}/v1/demo/session", json={"username": person.username, "password": person.password})
    assert reply.status_code == 202
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie and "; HttpOnly" in cookie and "; SameSite=Lax" in cookie


def test_plain_http_is_refused_at_the_tls_port(secure):
    with pytest.raises(httpx.HTTPError):
        httpx.get(secure.address.replace("https", "http") + "/healthz", timeout=5)


@pytest.mark.parametrize(
    "arguments",
    (["--http.address=0.0.0.0:8080"], ["--http.address=0.0.0.0:8080", "--http.externalURL=https://id.example.org"]),
)
def test_plain_http_that_others_could_see_stops_at_start(arguments):
    run = subprocess.run([BIN / "countersign-gateway", *arguments, "--check-config"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 78, (run.stdout, run.stderr)
    assert "http.trustedProxies" in run.stderr and "http.tls" in run.stderr
