// Reads a QR code with the camera, where the browser can.

const formats = ["qr_code"];
const lookEvery = 200;

/** Whether this browser reads QR codes and has a camera to ask for. */
export async function canScan() {
  if (!globalThis.BarcodeDetector || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats().catch(() => [])).includes(formats[0]);
}

/** The first text for which `isWanted` is true; null when `signal` says stop. Throws what the browser says where the camera may not
 *  or cannot be used. */
export async function scan(video, isWanted, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  try {
    if (signal.aborted) return null;
    video.srcObject = stream;
    await video.play();
    const detector = new BarcodeDetector({ formats });
    while (!signal.aborted) {
      const codes = await detector.detect(video).catch(() => []);
      const found = codes.find(({ rawValue }) => isWanted(rawValue));
      if (found) return found.rawValue;
      await new Promise((resolve) => setTimeout(resolve, lookEvery));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
