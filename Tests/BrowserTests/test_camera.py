"""The camera of the phone in a browser: a file of frames stands for what it sees, and the library that reads codes elsewhere reads them."""

import base64
import ctypes
import re

import pytest
from playwright.sync_api import expect

from .conftest import launched, windows
from .phone_page import PhonePage

WIDTH, HEIGHT = 640, 480
WHITE, BLACK, NO_COLOUR = b"\xeb", b"\x10", b"\x80"

# Chromium has none on Linux. This one gives the frame that it is asked about to `readCodes`.
DETECTOR = """
globalThis.BarcodeDetector = class {
  static getSupportedFormats = async () => ["qr_code"];
  async detect(video) {
    const { videoWidth: width, videoHeight: height } = video;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let grey = "";
    for (let at = 0; at < data.length; at += 4) grey += String.fromCharCode(data[at]);
    return (await readCodes(width, height, btoa(grey))).map((rawValue) => ({ rawValue }));
  }
};
"""


def read_codes(width: int, height: int, grey: str) -> list[str]:
    """By libzbar, from one byte a pixel."""
    zbar = ctypes.CDLL("libzbar.so.0")
    for name in ("zbar_image_scanner_create", "zbar_image_create", "zbar_image_first_symbol", "zbar_symbol_next"):
        getattr(zbar, name).restype = ctypes.c_void_p
    zbar.zbar_symbol_get_data.restype = ctypes.c_char_p
    scanner, image = ctypes.c_void_p(zbar.zbar_image_scanner_create()), ctypes.c_void_p(zbar.zbar_image_create())
    pixels = base64.b64decode(grey)
    zbar.zbar_image_set_format(image, int.from_bytes(b"Y800", "little"))
    zbar.zbar_image_set_size(image, width, height)
    zbar.zbar_image_set_data(image, pixels, ctypes.c_ulong(len(pixels)), None)
    zbar.zbar_scan_image(scanner, image)
    found, symbol = [], zbar.zbar_image_first_symbol(image)
    while symbol:
        found.append(zbar.zbar_symbol_get_data(ctypes.c_void_p(symbol)).decode())
        symbol = zbar.zbar_symbol_next(ctypes.c_void_p(symbol))
    zbar.zbar_image_destroy(image)
    zbar.zbar_image_scanner_destroy(scanner)
    return found


def film(svg: str) -> bytes:
    """One frame, in YUV4MPEG2, of the QR code that the page shows."""
    side = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    scale = HEIGHT // side
    left, top = (WIDTH - side * scale) // 2, (HEIGHT - side * scale) // 2
    rows = [bytearray(WHITE * WIDTH) for _ in range(HEIGHT)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h", svg):
        start, end = left + int(x) * scale, left + (int(x) + int(length)) * scale
        for row in rows[top + int(y) * scale:top + (int(y) + 1) * scale]:
            row[start:end] = BLACK * (end - start)
    colours = NO_COLOUR * (WIDTH * HEIGHT // 2)
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F5:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + b"".join(rows) + colours


@pytest.fixture
def camera(tmp_path):
    path = tmp_path / "camera.y4m"
    path.write_bytes(film('viewBox="0 0 1 1"'))
    return path


@pytest.fixture
def open_with_camera(chromium, demo, camera):
    # A browser of its own: the camera is the browser's.
    with launched(chromium.browser_type, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}") as browser:
        with windows(browser, demo["base"]) as open_one:
            yield open_one


def scanner_of(browser) -> PhonePage:
    page = browser.tab()
    page.expose_function("readCodes", read_codes)
    page.add_init_script(DETECTOR)
    phone = PhonePage(page).open()
    phone.press("Add account")
    return phone


def test_the_code_that_the_page_shows_is_read_from_what_the_camera_sees(open_with_camera, owner, camera):
    activation = owner.session.new_activation()
    camera.write_bytes(film(owner.session.call("GET", f"/me/activations/{activation['id']}/qr.svg").text))
    browser = open_with_camera()
    browser.context.grant_permissions(["camera"])
    phone = scanner_of(browser)
    phone.press("Scan the QR code")
    phone.expect_screen("link")
    expect(phone.page.locator("#link-account")).to_have_text(owner.username)
    assert phone.page.evaluate("document.querySelector('#camera').srcObject") is None, "the camera is off"
    phone.accept_link()
    phone.confirm(owner.session.activation(activation["id"], wait=10, state="waiting")["number"])
    expect(phone.page.locator("#outcome-title")).to_have_text("Your account is added")


def test_what_is_no_code_is_looked_at_until_the_person_leaves_and_the_camera_is_off_then(open_with_camera):
    browser = open_with_camera()
    browser.context.grant_permissions(["camera"])
    phone = scanner_of(browser)
    phone.press("Scan the QR code")
    expect(phone.page.locator("#camera")).to_have_js_property("paused", False)
    phone.page.evaluate("globalThis.track = document.querySelector('#camera').srcObject.getTracks()[0]")
    phone.press("Back")
    phone.page.evaluate("async () => { while (track.readyState !== 'ended') await new Promise(requestAnimationFrame); }")
    phone.expect_screen("add")


def test_a_camera_that_is_refused_or_is_not_there_leaves_the_link(open_with_camera, open_browser):
    refusing = open_with_camera()
    # What is not granted is denied.
    refusing.context.grant_permissions(["clipboard-read"])
    without = open_browser()
    without.context.grant_permissions(["camera"])
    for browser, words in ((refusing, "The camera may not be used."), (without, "There is no camera that can be used.")):
        phone = scanner_of(browser)
        phone.press("Scan the QR code")
        expect(phone.page.locator("#camera-failed")).to_contain_text(words)
        expect(phone.page.locator("#viewfinder")).to_be_hidden()
        phone.press("Paste the link")
        phone.expect_screen("paste")
