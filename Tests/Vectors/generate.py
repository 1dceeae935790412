"""Makes the signed vectors with an implementation that is not ours. Run: python3 Tests/Vectors/generate.py"""

import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ROOT = pathlib.Path(__file__).parent
NOW = 1_750_000_000
AUDIENCE = "http://127.0.0.1:8080/demo"
URL = AUDIENCE.replace("/demo", "/v1/demo/devices/d1/challenges")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Key:
    def __init__(self, curve=ec.SECP256R1()):
        self.private = ec.generate_private_key(curve)
        numbers = self.private.public_key().public_numbers()
        size = (curve.key_size + 7) // 8
        self.x, self.y = numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
        self.size = size

    @property
    def point(self):
        return b"\x04" + self.x + self.y

    @property
    def jwk(self):
        return {"kty": "EC", "crv": "P-256", "x": b64(self.x), "y": b64(self.y)}

    def der(self, data: bytes) -> bytes:
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self.der(data))
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")


PHONE, OTHER = Key(), Key()
CONTENT = b'{"id":"c1","application":"Payroll"}'
PROOF = {"htm": "GET", "htu": URL, "iat": NOW, "jti": b64(bytes(range(16)))}
ANSWER = {
    "aud": AUDIENCE, "challenge": "c1", "decision": "approve", "number": "42", "content": b64(sha(CONTENT)), "iat": NOW, "uv": True,
}
ACTIVATION = {"aud": AUDIENCE, "ticket": b64(sha(b"ticket-1")), "iat": NOW}


def text(value) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def jws(header, payload, key=PHONE, signature=None, separator="."):
    signed = b64(text(header)) + separator + b64(text(payload))
    return signed + separator + b64(signature(signed.encode()) if signature else key.sign(signed.encode()))


def header(kind, **changes):
    value = {"alg": "ES256", "typ": f"countersign-{kind}+jws"}
    value.update({"jwk": PHONE.jwk} if kind == "activation" else {"kid": "d1"})
    value.update(changes)
    return {k: v for k, v in value.items() if v is not None}


def write(folder, name, expect, fields):
    path = ROOT / folder / f"{name}.txt"
    path.parent.mkdir(exist_ok=True)
    lines = {"expect": expect, **fields}
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))


def shared(kind, base):
    """Cases that hold for every kind of proof."""
    good = jws(header(kind), base)
    parts = good.split(".")
    own = header(kind)
    name = "jwk" if kind == "activation" else "kid"
    secret = hmac.HMAC(PHONE.point, hashes.SHA256())
    signed = (b64(text(header(kind, alg="HS256"))) + "." + b64(text(base))).encode()
    secret.update(signed)
    yield "good", "success", good
    yield "other-key", "bad-signature", jws(header(kind), base, OTHER) if kind != "activation" else jws(
        header(kind), base, OTHER)
    yield "payload-changed", "bad-signature", ".".join([parts[0], b64(text({**base, "iat": NOW + 1})), parts[2]])
    yield "header-changed", "bad-signature", ".".join([b64(json.dumps(own).encode()), parts[1], parts[2]])
    yield "signature-zero", "bad-signature", jws(header(kind), base, signature=lambda _: bytes(64))
    yield "signature-r-is-order", "bad-signature", jws(
        header(kind), base, signature=lambda data: ORDER.to_bytes(32, "big") + PHONE.sign(data)[32:])
    yield "signature-der", "malformed", jws(header(kind), base, signature=PHONE.der)
    yield "signature-short", "malformed", jws(header(kind), base, signature=lambda data: PHONE.sign(data)[:63])
    yield "signature-long", "malformed", jws(header(kind), base, signature=lambda data: PHONE.sign(data) + b"\0")
    yield "signature-empty", "malformed", parts[0] + "." + parts[1] + "."
    yield "two-parts", "malformed", parts[0] + "." + parts[1]
    yield "four-parts", "malformed", good + ".AA"
    yield "json-serialization", "malformed", json.dumps({"protected": parts[0], "payload": parts[1], "signature": parts[2]})
    yield "padded", "malformed", parts[0] + "." + parts[1] + "." + parts[2] + "=="
    yield "space-before", "malformed", " " + good
    yield "standard-alphabet", "malformed", parts[0] + "." + parts[1] + "." + "+/" + parts[2][2:]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    yield "trailing-bits", "malformed", good[:-1] + last[last.index(good[-1]) | 1 if last.index(good[-1]) % 16 == 0 else 63]
    yield "alg-none", "malformed", jws(header(kind, alg="none"), base, signature=lambda _: b"")
    yield "alg-hs256-with-public-key", "malformed", signed.decode() + "." + b64(secret.finalize())
    yield "alg-es384", "malformed", jws(header(kind, alg="ES384"), base)
    yield "alg-lower-case", "malformed", jws(header(kind, alg="es256"), base)
    yield "alg-missing", "malformed", jws(header(kind, alg=None), base)
    yield "typ-missing", "malformed", jws(header(kind, typ=None), base)
    yield "typ-of-another-kind", "malformed", jws(header(kind, typ="countersign-other+jws"), base)
    yield "typ-upper-case", "malformed", jws(header(kind, typ=f"COUNTERSIGN-{kind}+jws"), base)
    yield "crit", "malformed", jws(header(kind, crit=["exp"]), base)
    yield "b64-false", "malformed", jws(header(kind, b64=False), base)
    yield "jku", "malformed", jws(header(kind, jku="https://keys.example/"), base)
    yield "x5c", "malformed", jws(header(kind, x5c=["AAAA"]), base)
    yield "kid-and-jwk", "malformed", jws(header(kind, kid="d1", jwk=PHONE.jwk), base)
    yield "key-reference-missing", "malformed", jws(header(kind, **{name: None}), base)
    twice = text(own)[:-1] + b',"alg":"ES256"}'
    yield "header-member-twice", "malformed", jws(twice, base)
    escaped = text(own)[:-1] + b',"\\u0061lg":"none"}'
    yield "header-member-twice-escaped", "malformed", jws(escaped, base)
    yield "payload-member-twice", "malformed", jws(own, text(base)[:-1] + b',"iat":%d}' % NOW)
    yield "payload-not-an-object", "malformed", jws(own, b"[]")
    yield "payload-trailing-text", "malformed", jws(own, text(base) + b"{}")
    yield "payload-not-utf8", "malformed", jws(own, text(base).replace(b'"iat"', b'"\xff":1,"iat"'))
    yield "payload-deep", "malformed", jws(own, text(base)[:-1] + b',"x":' + b"[" * 20 + b"]" * 20 + b"}")
    yield "iat-missing", "malformed", jws(own, {k: v for k, v in base.items() if k != "iat"})
    yield "iat-a-string", "malformed", jws(own, {**base, "iat": str(NOW)})
    yield "iat-a-fraction", "malformed", jws(own, text(base).replace(str(NOW).encode(), b"%d.5" % NOW))
    yield "iat-negative", "malformed", jws(own, {**base, "iat": -1})
    yield "iat-huge", "malformed", jws(own, {**base, "iat": 9223372036854775807})
    yield "too-large", "malformed", jws(own, {**base, "pad": "x" * 4096})
    yield "further-claim", "success", jws(own, {**base, "nonce": "x"})


def device_proofs():
    fields = {"now": NOW, "skew": 60, "device": "d1", "key": b64(PHONE.point), "method": "GET", "url": URL}
    body = {"bdh": b64(sha(b"{}"))}
    for name, expect, proof in shared("device", PROOF):
        write("device-proof", name, expect, {**fields, "jws": proof})

    def case(name, expect, changes=None, drop=(), **expected):
        claims = {k: v for k, v in {**PROOF, **(changes or {})}.items() if k not in drop}
        write("device-proof", name, expect, {**fields, **expected, "jws": jws(header("device"), claims)})

    write("device-proof", "another-device", "wrong-device", {**fields, "jws": jws(header("device", kid="d2"), PROOF)})
    case("another-method", "wrong-request", {"htm": "DELETE"})
    case("method-lower-case", "wrong-request", {"htm": "get"})
    case("another-url", "wrong-request", {"htu": URL.replace("d1", "d2")})
    case("url-with-query", "wrong-request", {"htu": URL + "?a=b"})
    case("url-upper-case-host", "wrong-request", {"htu": URL.replace("http", "HTTP")})
    case("body", "success", body, body=b64(sha(b"{}")))
    case("body-of-another-request", "wrong-body", {"bdh": b64(sha(b"[]"))}, body=b64(sha(b"{}")))
    case("body-not-covered", "wrong-body", body=b64(sha(b"{}")))
    case("body-digest-without-body", "wrong-body", body)
    case("body-digest-short", "malformed", {"bdh": b64(b"x" * 31)}, body=b64(sha(b"{}")))
    case("jti-short", "malformed", {"jti": b64(bytes(15))})
    case("jti-longest", "success", {"jti": b64(bytes(256))})
    case("jti-long", "malformed", {"jti": b64(bytes(257))})
    case("jti-not-base64url", "malformed", {"jti": "!" * 22})
    case("jti-missing", "malformed", drop=("jti",))
    case("htm-missing", "malformed", drop=("htm",))
    case("htu-missing", "malformed", drop=("htu",))
    case("at-the-edge-of-the-past", "success", {"iat": NOW - 60})
    case("at-the-edge-of-the-future", "success", {"iat": NOW + 60})
    case("too-old", "expired", {"iat": NOW - 61})
    case("too-new", "expired", {"iat": NOW + 61})
    case("an-hour-slow", "expired", {"iat": NOW - 3600})
    case("an-hour-fast", "expired", {"iat": NOW + 3600})


def answers():
    fields = {"device": "d1", "key": b64(PHONE.point), "audience": AUDIENCE, "challenge": "c1"}
    for name, expect, answer in shared("answer", ANSWER):
        write("answer", name, expect, {**fields, "jws": answer})

    def case(name, expect, changes=None, drop=(), **expected):
        claims = {k: v for k, v in {**ANSWER, **(changes or {})}.items() if k not in drop}
        write("answer", name, expect, {**fields, **expected, "jws": jws(header("answer"), claims)})

    case("decline", "success", {"decision": "decline"}, drop=("number",))
    case("report", "success", {"decision": "report"}, drop=("number",))
    case("an-hour-slow", "success", {"iat": NOW - 3600})
    case("another-tenant", "wrong-audience", {"aud": AUDIENCE.replace("demo", "other")})
    case("another-server", "wrong-audience", {"aud": "https://evil.example/demo"})
    case("audience-list", "malformed", {"aud": [AUDIENCE]})
    case("another-challenge", "wrong-challenge", {"challenge": "c2"})
    case("decision-unknown", "malformed", {"decision": "maybe"})
    case("number-missing", "malformed", drop=("number",))
    case("number-not-a-string", "malformed", {"number": 42})
    case("number-with-letters", "malformed", {"number": "4x"})
    case("number-empty", "malformed", {"number": ""})
    case("number-arabic-digits", "malformed", {"number": "٤٢"})
    case("number-too-long", "malformed", {"number": "1" * 11})
    case("content-missing", "malformed", drop=("content",))
    case("content-short", "malformed", {"content": b64(b"x" * 20)})
    case("uv-not-a-boolean", "malformed", {"uv": 1})


def activations():
    fields = {"now": NOW, "skew": 60, "audience": AUDIENCE, "ticket": "ticket-1"}
    for name, expect, proof in shared("activation", ACTIVATION):
        write("activation", name, expect, {**fields, "jws": proof})

    def case(name, expect, changes=None, jwk=None, key=PHONE):
        claims = {**ACTIVATION, **(changes or {})}
        write("activation", name, expect, {**fields, "jws": jws(header("activation", jwk=jwk or PHONE.jwk), claims, key)})

    p384 = Key(ec.SECP384R1())
    case("another-tenant", "wrong-audience", {"aud": AUDIENCE + "2"})
    case("another-ticket", "wrong-ticket", {"ticket": b64(sha(b"ticket-2"))})
    case("ticket-in-clear", "malformed", {"ticket": "ticket-1"})
    case("an-hour-slow", "expired", {"iat": NOW - 3600})
    case("private-key", "malformed", jwk={**PHONE.jwk, "d": b64(bytes(32))})
    case("curve-p384", "malformed", jwk={"kty": "EC", "crv": "P-384", "x": b64(p384.x), "y": b64(p384.y)})
    case("curve-name-only", "malformed", jwk={**PHONE.jwk, "crv": "P-384"})
    case("kty-okp", "malformed", jwk={**PHONE.jwk, "kty": "OKP"})
    case("off-curve", "malformed", jwk={**PHONE.jwk, "y": b64(PHONE.y[:-1] + bytes([PHONE.y[-1] ^ 1]))})
    case("point-zero", "malformed", jwk={**PHONE.jwk, "x": b64(bytes(32)), "y": b64(bytes(32))})
    case("coordinate-short", "malformed", jwk={**PHONE.jwk, "x": b64(PHONE.x[1:])})
    case("coordinate-long", "malformed", jwk={**PHONE.jwk, "x": b64(b"\0" + PHONE.x)})
    case("for-encryption", "malformed", jwk={**PHONE.jwk, "use": "enc"})
    case("key-with-use", "success", jwk={**PHONE.jwk, "use": "sig", "alg": "ES256"})


def one_time_passwords():
    secret = b"1234567890" * 7
    hotp = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    for counter, code in enumerate(hotp):
        write("hotp", f"rfc4226-{counter}", "success", {"secret": secret[:20].hex(), "counter": counter, "digits": 6, "code": code})
    totp = {
        59: ("94287082", "46119246", "90693936"), 1111111109: ("07081804", "68084774", "25091201"),
        1111111111: ("14050471", "67062674", "99943326"), 1234567890: ("89005924", "91819424", "93441116"),
        2000000000: ("69279037", "90698825", "38618901"), 20000000000: ("65353130", "77737706", "47863826"),
    }
    for time, codes in totp.items():
        for (algorithm, size), code in zip((("SHA1", 20), ("SHA256", 32), ("SHA512", 64)), codes):
            write("totp", f"rfc6238-{algorithm.lower()}-{time}", "success", {
                "secret": secret[:size].hex(), "algorithm": algorithm, "digits": 8, "period": 30, "time": time, "code": code})


device_proofs()
answers()
activations()
one_time_passwords()
