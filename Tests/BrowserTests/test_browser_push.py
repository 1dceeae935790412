"""The phone in the browser while its page is closed: Web Push, offered and kept by the page, shown by its service worker."""

import json
import os
import signal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import expect
from push import write_private
from stack import Stack

from .phone_page import PhonePage

# No push service can be reached here: the browser's part is played, what the page does with it is real.
PLAYED = """(() => {
  globalThis.subscriptions = 0;
  let known = null;
  PushManager.prototype.getSubscription = async () => known;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new Error("not visible");
    globalThis.subscriptions += 1;
    const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const keys = { p256dh: text(await crypto.subtle.exportKey("raw", publicKey)), auth: text(crypto.getRandomValues(new Uint8Array(16))) };
    const endpoint = "https://push.example/" + text(crypto.getRandomValues(new Uint8Array(9)));
    return known = {
      endpoint, options: { applicationServerKey: applicationServerKey.buffer }, toJSON: () => ({ endpoint, keys }),
      unsubscribe: async () => { known = null; return true; },
    };
  };
})()"""
# What a service worker shows, kept where a test can read it.
WATCHED = """() => {
  globalThis.shown = [];
  let notice = null;
  registration.getNotifications = async ({ tag }) => (notice?.tag === tag ? [notice] : []);
  registration.showNotification = async (title, options) => { notice = options; shown.push({ title, body: options.body, tag: options.tag, silent: options.silent ?? false }); };
}"""
OFFER = "Be told of a sign-in while this page is closed?"


def reload_accounts(stack):
    """The notifier's accounts as they are now."""
    log = stack.var / "log/notifier.log"
    before = log.read_text().count("push accounts read")
    os.kill(stack.pids()["notifier"], signal.SIGHUP)
    Stack.wait_for(lambda: log.read_text().count("push accounts read") > before, 10, "the accounts to be read")


@pytest.fixture(scope="module")
def web_push(stack):
    """The server sends Web Push for these tests alone: others have no offer in the way."""
    folder = stack.var / "push"
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    write_private(folder / "vapid.pem", text)
    account = write_private(folder / "default.json", json.dumps({"webpush": {"keyFile": "vapid.pem", "subject": "mailto:operator@example.org"}}))
    reload_accounts(stack)
    yield
    account.unlink()
    reload_accounts(stack)


@pytest.fixture
def played(web_push, open_browser):
    browser = open_browser()
    browser.context.grant_permissions(["notifications"])
    browser.context.add_init_script(PLAYED)
    return browser


def transport(owner):
    return owner.administrator.get(f"/users/{owner.user['id']}/devices")["items"][0]["pushTransport"]


def turned_on(browser, owner) -> PhonePage:
    phone = PhonePage(browser.tab())
    phone.add(owner.session)
    phone.page.locator("#push-offer").get_by_role("button", name="Turn on").click()
    expect(phone.page.get_by_text("Notifications are on")).to_be_visible()
    Stack.wait_for(lambda: transport(owner) == "webpush", 10, "the server to have the subscription")
    return phone


def test_without_an_account_at_a_push_service_nothing_is_offered(browser, owner):
    """First in this file: the others give the server one."""
    phone = PhonePage(browser.tab())
    with phone.page.expect_response(lambda reply: reply.url.endswith("/push")) as answered:
        phone.add(owner.session)
    assert answered.value.json() == {"transport": "none", "applicationServerKey": None}
    expect(phone.page.get_by_text(OFFER)).to_be_hidden()


def test_notifications_are_offered_once_and_asked_for_only_by_a_press(played, owner):
    phone = PhonePage(played.tab())
    phone.add(owner.session)
    expect(phone.page.get_by_text(OFFER)).to_be_visible()
    assert phone.page.evaluate("subscriptions") == 0 and transport(owner) == "none"
    phone.page.get_by_role("button", name="Not now").click()
    expect(phone.page.get_by_text(OFFER)).to_be_hidden()
    phone.page.reload()
    expect(phone.page.get_by_role("heading", name=owner.username)).to_be_visible()
    expect(phone.page.get_by_text(OFFER)).to_be_hidden()
    # It is in the settings all the same.
    phone.page.locator("#settings").click()
    phone.press("Turn on")
    expect(phone.page.get_by_role("button", name="Turn off")).to_be_visible()
    assert transport(owner) == "webpush"
    phone.press("Turn off")
    expect(phone.page.get_by_role("button", name="Turn on")).to_be_visible()
    assert transport(owner) == "none"


def test_the_page_gives_its_subscription_to_the_server_and_again_when_that_has_lost_it(played, owner):
    phone = turned_on(played, owner)
    patches = lambda: [request for request in requests if request.method == "PATCH"]  # noqa: E731
    requests = []
    phone.page.on("request", lambda request: requests.append(request))
    with phone.page.expect_response(lambda reply: reply.url.endswith("/push")):
        phone.page.reload()
    # The reload made another subscription, as browsers do now and then: the server gets it.
    Stack.wait_for(lambda: len(patches()) == 1 or phone.page.wait_for_timeout(20), 10, "the new subscription to be sent")
    sent = patches()[0].post_data_json["push"]
    assert set(sent) == {"transport", "endpoint", "p256dh", "auth"} and sent["endpoint"].startswith("https://push.example/")


class Worker:
    """The service worker, and pushes for it through DevTools, from a page that is not the phone's."""

    def __init__(self, browser):
        self.base = browser.base
        self.page = browser.context.new_page()
        self.worker = browser.context.service_workers[0]
        session = browser.context.new_cdp_session(self.page)
        self.registrations = []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda event: self.registrations.extend(event["registrations"]))
        session.send("ServiceWorker.enable")
        self.session = session
        self.worker.evaluate(WATCHED)

    def push(self, data: dict) -> None:
        Stack.wait_for(lambda: self.mine() or self.page.wait_for_timeout(20), 10, "the registration to be told")
        self.session.send(
            "ServiceWorker.deliverPushMessage", {"origin": self.base, "registrationId": self.mine(), "data": json.dumps(data)}
        )

    def mine(self) -> str | None:
        return next((one["registrationId"] for one in self.registrations if one["scopeURL"].startswith(self.base) and not one["isDeleted"]), None)

    def shown(self, count: int) -> dict:
        """The last of so many notifications."""
        self.page.bring_to_front()
        Stack.wait_for(
            lambda: len(self.worker.evaluate("() => shown")) >= count or self.page.wait_for_timeout(20), 10, "a notification"
        )
        return self.worker.evaluate("() => shown.at(-1)")


def test_a_request_is_shown_while_no_page_is_open(played, owner, application, settings):
    settings(requestBudget=50)
    phone = turned_on(played, owner)
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.page.close()
    worker = Worker(played)
    request = application.begin(owner.username, factor="secondFactor").json()
    worker.push({"c": request["id"]})
    shown = worker.shown(1)
    assert shown["title"] == "Are you signing in?" and owner.username in shown["body"] and "Demo" in shown["body"]
    # The name is random, and may have the same digits.
    assert request["number"] not in shown["body"].replace(owner.username, "")
    # What ended is another request: that this one still waits was called out already. A further one calls again.
    worker.push({"c": "another"})
    assert worker.shown(2) == {**shown, "silent": True}
    further = application.begin(owner.username, factor="secondFactor").json()
    worker.push({"c": further["id"]})
    assert not worker.shown(3)["silent"]
    application.cancel(request)
    application.cancel(further)
    worker.push({"c": request["id"]})
    ended = worker.shown(4)
    assert ended["title"] == "Nothing waits for your answer any more." and ended["silent"] and ended["tag"] == shown["tag"]
    # A click opens the page, and brings an open one to the front.
    opened = worker.worker.evaluate("""async () => {
      let opened = null;
      clients.openWindow = async (path) => { opened = path; };
      const event = new ExtendableEvent("notificationclick");
      let done = null;
      Object.assign(event, { notification: { close() {} }, waitUntil: (work) => { done = work; } });
      dispatchEvent(event);
      await done;
      return opened;
    }""")
    assert opened == "/authenticator"


def test_with_a_lock_a_notification_says_only_that_something_waits(played, owner, application):
    phone = turned_on(played, owner)
    phone.lock_by_pin("4711")
    phone.page.close()
    worker = Worker(played)
    request = application.begin(owner.username, factor="secondFactor").json()
    worker.push({"c": request["id"]})
    assert worker.shown(1) == {"title": "A sign-in waits for your answer.", "body": "", "tag": "request", "silent": False}


def test_a_subscription_that_the_browser_changes_is_given_to_the_server_by_the_worker(played, owner):
    phone = turned_on(played, owner)
    address = phone.page.evaluate("navigator.serviceWorker.ready.then(({ pushManager }) => pushManager.getSubscription()).then((known) => known.toJSON())")
    phone.page.close()
    worker = Worker(played)
    patched = []
    played.context.on("request", lambda request: patched.append(request) if request.method == "PATCH" else None)
    done = worker.worker.evaluate("""async (keys) => {
      const event = new ExtendableEvent("pushsubscriptionchange");
      let done = null;
      const endpoint = "https://push.example/renewed";
      Object.assign(event, { newSubscription: { endpoint, toJSON: () => ({ endpoint, keys }) }, waitUntil: (work) => { done = work; } });
      dispatchEvent(event);
      await done;
      return new Promise((resolve, reject) => {
        const request = indexedDB.open("countersign-authenticator");
        request.onsuccess = () => {
          const setting = request.result.transaction(["settings"]).objectStore("settings").get("push");
          setting.onsuccess = () => { request.result.close(); resolve(setting.result.endpoint); };
          setting.onerror = () => reject(setting.error);
        };
      });
    }""", address["keys"])
    # Kept only when every server has taken it.
    assert done == "https://push.example/renewed"
    assert transport(owner) == "webpush"
