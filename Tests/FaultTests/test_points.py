"""What an administrator and a person do besides signing in takes effect once, wherever registration, policy or the notifier is killed."""

import secrets
import time
import uuid

import pytest
import requests

from client import Administrator, Application, Person, Phone, set_up_phone_sign_in

from .conftest import LONG
from .load import PATIENCE, PAUSE
from .test_faults import POINTS


class Careful(requests.Session):
    """Repeats what it was told to send again, as the same request."""

    def request(self, method, url, headers=None, **options):
        once = {"Idempotency-Key": str(uuid.uuid4())} if method.upper() == "POST" else {}
        deadline = time.monotonic() + PATIENCE
        while (reply := super().request(method, url, headers={**once, **(headers or {})}, **options)).status_code == 503:
            assert time.monotonic() < deadline, reply.text
            time.sleep(PAUSE)
        return reply


def done(reply: requests.Response, status: int) -> dict:
    assert reply.status_code == status, reply.text
    return reply.json() if reply.content else {}


def life(demo: dict):
    """Of a person, a group and an application, from their making to their end. Yields the method whose handler runs next, and fails where
    something took effect twice or not at all."""
    administrator, phone, name = Administrator(demo), Phone(), "j" + secrets.token_hex(6)
    person = Person(demo["base"], demo["tenant"])
    administrator.http, person.http, phone.http = Careful(), Careful(), Careful()

    yield "CreateUser"
    user = administrator.create_user(name)
    assert [one["id"] for one in administrator.get(f"/users?search={name}")["items"]] == [user["id"]]
    yield "ChangeUser"
    done(administrator.call("PATCH", f"/users/{user['id']}", json={"displayName": "Other"}), 200)
    yield "SetBlocked"
    assert done(administrator.call("POST", f"/users/{user['id']}:block"), 200)["blocked"]
    assert not done(administrator.call("POST", f"/users/{user['id']}:unblock"), 200)["blocked"]
    yield "CreateGroup"
    group = done(administrator.call("POST", "/groups", json={"name": name}), 201)
    yield "ChangeMembers"
    done(administrator.call("POST", f"/groups/{group['id']}/members", json={"add": [user["id"]]}), 200)
    assert [one["id"] for one in administrator.get(f"/groups/{group['id']}/members")["items"]] == [user["id"]]
    yield "ImportUsers"
    lines = f"username,displayName\n{name}-a,One\n{name}-b,Two\n"
    report = done(administrator.call("POST", "/users:import", headers={"Content-Type": "text/csv"}, data=lines), 200)
    assert (report["created"], report["problemCount"]) == (2, 0)
    yield "IssuePass"
    secret = administrator.issue_pass(user["id"])
    yield "StartSession"
    done(person.sign_in(name, temporaryAccessPass=secret), 200)
    yield "CreateActivation"
    activation = person.new_activation()
    yield "RegisterDevice"
    done(phone.activate(activation["activationUri"]), 201)
    confirming = person.activation(activation["id"], wait=10)
    yield "ConfirmDevice"
    assert done(phone.answer(phone.challenges()[0], number=confirming["number"]), 200)["status"] == "approved"
    assert person.activation(activation["id"], wait=10, state="confirming")["state"] == "active"
    yield "ChangeDevice"
    # With an address the notifier has something to write, though no account to send with.
    push = {"transport": "fcm", "token": secrets.token_urlsafe(32)}
    assert done(phone.call("PATCH", "", body={"name": "Renamed", "push": push}), 200)["name"] == "Renamed"
    yield "StartPhoneSignIn"
    set_up_phone_sign_in(phone, temporaryAccessPass=administrator.issue_pass(user["id"]))
    [device] = administrator.get(f"/users/{user['id']}/devices")["items"]
    assert (device["id"], device["name"]) == (phone.id, "Renamed") and device["phoneSignIn"]

    yield "CreateClient"
    client = done(administrator.call("POST", "/clients", json={"name": name}), 201)
    yield "IssueToken"
    grant = {"grant_type": "client_credentials"}
    token = done(administrator.http.post(f"{demo['base']}/v1/{demo['tenant']}/token", data=grant, auth=(client["id"], client["secret"])), 200)
    assert token["token_type"] == "Bearer"
    application = Application({**demo, "client": client}, Careful())
    yield "Notify"
    request = done(application.begin(name), 201)
    assert done(phone.answer(phone.challenge(request["id"]), number=request["number"]), 200)["status"] == "approved"
    assert done(application.redeem(request), 200)["user"]["id"] == user["id"]
    yield "DeleteClient"
    done(administrator.call("DELETE", f"/clients/{client['id']}"), 204)
    assert application.begin(name).status_code == 401

    yield "RemoveDevice"
    done(person.call("DELETE", f"/me/devices/{phone.id}"), 204)
    assert phone.call("GET", "/challenges").status_code == 401
    yield "EndSession"
    done(person.call("DELETE", "/session"), 204)
    assert person.call("GET", "/me").status_code == 401
    yield "DeleteGroup"
    done(administrator.call("DELETE", f"/groups/{group['id']}"), 204)
    yield "DeleteUser"
    done(administrator.call("DELETE", f"/users/{user['id']}"), 204)
    assert administrator.call("GET", f"/users/{user['id']}").status_code == 404


@pytest.mark.parametrize("point", POINTS if LONG else ["after-commit-before-reply"])
def test_a_life_goes_on_though_its_process_is_killed_at_each_step(trial, failpoints, point):
    reached = None
    for method in life(trial.stack.demo()):
        if reached:
            failpoints.wait(reached)
        # The short form has time for those whose effect cannot be seen to be there already when they are repeated.
        if not LONG and method not in ("StartSession", "RegisterDevice", "ConfirmDevice", "IssueToken", "Notify"):
            reached = None
            continue
        # A process that ends within a second of its start, again and again, is given up by the supervisor.
        time.sleep(1)
        reached = failpoints.arm(point, method, "kill")
    if reached:
        failpoints.wait(reached)
