"""What generated requests need so that they get behind the door: the caller's credentials, and things that exist to call about."""

import base64
import itertools
import secrets
from collections import defaultdict

import requests

from client import Administrator, Application, Phone, register
from conftest import Someone
from stack import Stack


class GeneratedCalls:
    """Three of four requests of each operation are about something that exists, made anew where an earlier one may have used it up;
    the fourth is about what was generated."""

    def __init__(self, stack: Stack):
        self.demo = stack.demo()
        self.application, self.administrator = Application(self.demo), Administrator(self.demo)
        self.operator = "Bearer " + (stack.var / "keys/operator.token").read_text().strip()
        self.someone = Someone(self.demo)
        # Has as many activations as there may be, after a while: no phone could be registered any more.
        self.activating = Someone(self.demo, phone_sign_in=False)
        self.pending_activation = self.someone.browser.new_activation()
        self.counts = defaultdict(itertools.count)
        self.http = requests.Session()
        # Where policy and settings are changed, and where the administrator's token is: changes for everybody else would be in the way.
        self.changed, self.renewed = self.tenant("changed"), self.tenant("renewed")

    def tenant(self, name: str) -> dict:
        made = requests.post(
            self.demo["base"] + "/v1/tenants", json={"id": name, "name": name}, headers={"Authorization": self.operator}, timeout=20)
        assert made.status_code == 201, made.text
        return made.json()

    def send(self, case) -> requests.Response:
        path, headers = case.path, dict(case.headers or {})
        is_about_something = next(self.counts[case.operation.label]) % 4 != 3
        is_of_changed = path.endswith(("/admin/settings", "/admin/policies/authenticator"))
        # Most requests are for a tenant that exists; the others meet 404.
        if is_about_something or len(str(case.path_parameters.get("tenant", ""))) % 4:
            tenant = self.changed if is_of_changed else self.renewed if ":renew" in path else {"id": self.demo["tenant"]}
            case.path_parameters["tenant"] = tenant["id"]
        if is_about_something:
            headers |= self.things(case)
            if is_of_changed and case.method == "PATCH":
                administrator = Administrator(self.demo, self.changed["adminToken"], self.changed["id"])
                headers["If-Match"] = administrator.call("GET", path.partition("/admin")[2]).headers["ETag"]

        request = requests.Request(**case.as_transport_kwargs(base_url=self.demo["base"], headers=headers))
        if "/me" in path or path.endswith("/session/complete"):
            owner = self.activating if path.endswith("/me/activations") else self.someone
            request.cookies = {**dict(owner.browser.http.cookies), **(request.cookies or {})}
        prepared = request.prepare()
        if "Authorization" not in headers and (credentials := self.credentials(case, prepared)):
            prepared.headers["Authorization"] = credentials
        reply = self.http.send(prepared, stream=True, allow_redirects=False, timeout=40)
        self.http.cookies.clear()
        if reply.headers.get("Content-Type", "").startswith("text/event-stream"):
            reply._content = b""  # it goes on for ten minutes
            reply.close()
        if reply.status_code == 204 and case.method == "DELETE" and "device" in case.path_parameters and not path.endswith("/phone-sign-in"):
            register(self.someone.browser, self.someone.phone)
        return reply

    def credentials(self, case, prepared: requests.PreparedRequest) -> str | None:
        """As the document's `security` asks for them."""
        schemes = {name for choice in case.operation.definition.raw.get("security", []) for name in choice}
        if case.path == "/v1/tenants" or ":renew" in case.path:
            return self.operator
        if "/admin/" in case.path:
            is_of_changed = case.path_parameters.get("tenant") == self.changed["id"]
            return "Bearer " + (self.changed["adminToken"] if is_of_changed else self.demo["admin"]["token"])
        if "clientBasic" in schemes:
            return "Basic " + base64.b64encode(":".join(self.application.credentials).encode()).decode()
        if "deviceProof" in schemes:
            body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
            return "DeviceProof " + self.someone.phone.proof(case.method, prepared.url, body or None)
        return None

    def things(self, case) -> dict:
        """Puts things that exist into the path, and returns the headers that belong to them."""
        parameters, headers = case.path_parameters, {}
        if "id" in parameters:
            sign_in = self.sign_in(case)
            parameters["id"], headers["Sign-In-Secret"] = sign_in["id"], sign_in["secret"]
        if "challenge" in parameters:
            sign_in = self.begin()
            parameters["challenge"] = sign_in["id"]
            if isinstance(case.body, dict) and isinstance(case.body.get("answer"), str):
                challenge = self.someone.phone.challenge(sign_in["id"])
                case.body = {**case.body, "answer": self.someone.phone.answer_text(challenge, number=sign_in["number"])}
        makers = {
            "device": lambda: self.someone.phone.id,
            "signIn": lambda: self.password_sign_in() if "/password-sign-ins/" in case.path else self.begin()["id"],
            "activation": lambda: self.pending_activation["id"],
            "user": lambda: self.someone.user["id"] if "device" in case.path else self.administrator.create_user("g" + secrets.token_hex(6))["id"],
            "group": lambda: self.made("/groups"),
            "client": lambda: self.made("/clients"),
        }
        for name, make in makers.items():
            if name in parameters:
                parameters[name] = make()
        query, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
        # What is still open is waited for as long as the caller says.
        if "activation" in parameters and "wait" in query:
            query["state"] = "active"
        if "user" in query:
            query["user"] = self.someone.username
        if case.path.endswith("/token") and "client_secret" in body:
            body["client_id"], body["client_secret"] = self.application.credentials
        if case.path.endswith("/phone-sign-in") and "password" in body:
            body["password"] = self.someone.password
        return headers

    def password_sign_in(self) -> str:
        return self.someone.browser.call("GET", "/me/password-sign-ins").json()["items"][0]["id"]

    def made(self, path: str) -> str:
        reply = self.administrator.call("POST", path, json={"name": "g" + secrets.token_hex(6)})
        assert reply.status_code == 201, reply.text
        return reply.json()["id"]

    def begin(self) -> dict:
        """A request that is on the person's phone: whatever else is open is canceled first, since there may be three."""
        for challenge in self.someone.phone.challenges():
            self.someone.phone.answer(challenge, "decline")
        reply = self.application.begin(self.someone.username, factor="secondFactor")
        assert reply.status_code == 201, reply.text
        return reply.json()

    def sign_in(self, case) -> dict:
        """Open where it is ended or answered by a code, else approved, so that nobody waits for it."""
        sign_in = self.begin()
        if case.method != "DELETE" and not case.path.endswith("/code"):
            phone = self.someone.phone
            assert phone.answer(phone.challenge(sign_in["id"]), number=sign_in["number"]).json()["status"] == "approved"
        return sign_in
