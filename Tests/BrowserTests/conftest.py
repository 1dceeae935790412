"""A real Chromium, watched: whatever a page logs as an error, asks of another host or breaks of its policy fails the test."""

import contextlib
import urllib.parse

import pytest
from client import Application
from playwright.sync_api import Browser, BrowserContext, BrowserType, Error, Page, expect, sync_playwright

from .phone_page import Owner, PhonePage

from .pages import POLICY, signed_in

# A refusal of the API is an answer; Chromium logs it all the same.
EXPECTED = "Failed to load resource: the server responded with a status of"
UNREACHED = "Failed to load resource: net::ERR_"
REPORT_VIOLATIONS = "addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
# What is not caught in a service worker, of which no event of the browser tells.
REPORT_REJECTIONS = """for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, event => console.error(`uncaught: ${event.message ?? event.reason}`));
}"""


class Watched:
    """One browser with its own cookies and storage."""

    def __init__(self, browser: Browser, base: str, **options):
        self.base = base
        self.context: BrowserContext = browser.new_context(base_url=base, **{"locale": "en-GB", **options})
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.set_default_timeout(10_000)
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.may_be_unreachable = False
        # Of the context, not of a page: a service worker asks too, and a page may open another.
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("response", self._answered)
        self.context.on("serviceworker", self._works)

    def tab(self, path: str | None = None) -> Page:
        page = self.context.new_page()
        if path:
            page.goto(path)
        return page

    def _works(self, worker):
        # It may end with its window before it can be spoken to.
        with contextlib.suppress(Error):
            worker.evaluate(REPORT_VIOLATIONS)
            worker.evaluate(REPORT_REJECTIONS)

    def _said(self, message):
        expected = message.text.startswith(EXPECTED) or (self.may_be_unreachable and message.text.startswith(UNREACHED))
        if message.type in ("error", "warning") and not expected:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request):
        self.requests.append(request.url)
        if urllib.parse.urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(self.base + "/"):
            self.faults.append(f"another host: {request.url}")

    def _answered(self, response):
        path = urllib.parse.urlsplit(response.url).path
        if response.status >= 500 or (response.status >= 400 and path.startswith("/assets/")):
            if not self.may_be_unreachable:
                self.faults.append(f"{response.status} {path}")

    def close(self):
        self.context.close()
        assert not self.faults, self.faults


@contextlib.contextmanager
def launched(browser_type: BrowserType, *switches: str):
    browser = browser_type.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", *switches])
    yield browser
    browser.close()


@contextlib.contextmanager
def windows(browser: Browser, base: str, **always):
    """A function that opens one more, each watched until the end."""
    opened = []

    def open_one(**options) -> Watched:
        opened.append(Watched(browser, base, **always, **options))
        return opened[-1]

    yield open_one
    for watched in opened:
        watched.close()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright, launched(playwright.chromium) as browser:
        yield browser


@pytest.fixture
def open_browser(chromium, demo):
    with windows(chromium, demo["base"]) as open_one:
        yield open_one


@pytest.fixture
def browser(open_browser):
    return open_browser()


@pytest.fixture
def admin(browser, demo):
    return lambda path="": signed_in(browser, demo, path)


@pytest.fixture
def settings(administrator):
    """Changes the tenant's settings for one test."""
    before = {}

    def change(**members):
        current = administrator.get("/settings")
        before.update({name: current[name] for name in members if name not in before})
        administrator.change("/settings", members)

    yield change
    if before:
        administrator.change("/settings", before)


@pytest.fixture
def policy(administrator):
    """The policy as it was, put back after the test."""
    before = administrator.get(POLICY)
    yield before
    administrator.change(POLICY, {name: before[name] for name in ("state", "isSoftwareOathEnabled", "includeTargets", "excludeTargets", "featureSettings")})


class Ready:
    """One phone with phone sign-in, for all tests that leave it as it was."""

    def __init__(self, chromium, demo):
        self.browser = Watched(chromium, demo["base"])
        self.owner = Owner(demo)
        self.application = Application(demo)
        phone = PhonePage(self.browser.tab())
        phone.add(self.owner.session)
        phone.menu(self.owner.username)
        phone.set_up_phone_sign_in(self.owner.password)
        phone.page.close()

    def begin(self, phone: PhonePage, **members) -> dict:
        """A request of an application, which the phone shows."""
        count = phone.requests.count()
        begun = self.application.begin(self.owner.username, **members).json()
        expect(phone.requests).to_have_count(count + 1)
        return begun


@pytest.fixture(scope="session")
def ready(chromium, demo):
    ready = Ready(chromium, demo)
    yield ready
    ready.browser.close()


@pytest.fixture
def phone(ready, settings):
    """The shared phone, in a tab of the test's own; what it refuses does not silence it."""
    settings(requestBudget=50)
    phone = PhonePage(ready.browser.tab()).open()
    yield phone
    phone.page.close()
    assert not ready.browser.faults, ready.browser.faults


@pytest.fixture
def owner(demo):
    return Owner(demo)


@pytest.fixture
def place_shown(administrator):
    """The tenant lets phones show where a request comes from."""
    path, feature = POLICY, "displayLocationInformationRequiredState"
    before = administrator.get(path)["featureSettings"][feature]
    administrator.change(path, {"featureSettings": {feature: {"state": "enabled"}}})
    yield
    administrator.change(path, {"featureSettings": {feature: before}})
