// The lock of this app: a PIN, or the lock of the device by WebAuthn. It keeps the app from those who hold the device; the keys
// themselves are guarded by the browser, with or without it.

import { base64url } from "./phone-proofs.js";
import { changeSetting, readSetting } from "./phone-store.js";

export const pinPattern = /^\d{4,12}$/;
const iterations = 600_000;
/** So many wrong PINs are free; after each further one the wait doubles. */
const freeTries = 3;
const waitMin = 30_000;
const waitMax = 3_600_000;
/** COSE names of ES256 and RS256 (RFC 9053), and how WebCrypto calls them. */
const algorithms = {
  "-7": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, "-257": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};
const isPresentAndVerified = 0x05;

const utf8 = new TextEncoder();
/** `{kind: "pin", salt, hash, minutes}`, `{kind: "device", id, key, algorithm, minutes}`, or null. */
let lock = null;
let verifiedAt = 0;

export async function loadLock() {
  lock = (await readSetting("lock")) ?? null;
  return lock;
}

export const currentLock = () => lock;

/** Whether a person has proven themself since `time` (by this device's clock); a proof counts for one answer. */
export function spendVerification(time) {
  const counts = verifiedAt >= time;
  verifiedAt = 0;
  return counts;
}

export async function removeLock() {
  await changeSetting("tries", () => undefined);
  await changeSetting("lock", () => undefined);
  lock = null;
}

/** Minutes without a touch until the app locks. */
export async function lockAfter(minutes) {
  lock = await changeSetting("lock", (known) => known && { ...known, minutes });
}

// ---- PIN

export async function setPin(pin, minutes) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await hashed(pin, salt);
  await changeSetting("tries", () => undefined);
  lock = await changeSetting("lock", () => ({ kind: "pin", salt, hash, minutes }));
}

/** `{isRight}`, or `{isRight: false, wait}` with the milliseconds until the next try. */
export async function tryPin(pin) {
  const now = Date.now();
  let wait = 0;
  // Counted before it is looked at: a reload meanwhile does not give a try back.
  await changeSetting("tries", (tries = { count: 0, until: 0 }) => {
    wait = Math.min(tries.until - now, waitMax);
    if (wait > 0) return tries;
    const count = tries.count + 1;
    return { count, until: count < freeTries ? 0 : now + Math.min(waitMin * 2 ** (count - freeTries), waitMax) };
  });
  if (wait > 0) return { isRight: false, wait };
  const isRight = (await hashed(pin, lock.salt)) === lock.hash;
  if (!isRight) return { isRight, wait: await pinWait() };
  await changeSetting("tries", () => undefined);
  verifiedAt = Date.now();
  return { isRight };
}

/** Milliseconds until a PIN may be tried. */
export async function pinWait() {
  return Math.max(0, Math.min(((await readSetting("tries"))?.until ?? 0) - Date.now(), waitMax));
}

async function hashed(pin, salt) {
  const key = await crypto.subtle.importKey("raw", utf8.encode(pin), "PBKDF2", false, ["deriveBits"]);
  return base64url(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256));
}

// ---- the device's own lock

/** Whether this device can ask for a fingerprint, a face or its own PIN. */
export async function hasDeviceLock() {
  // A browser has it for names, not for addresses.
  if (/^[\d.]+$|^\[/.test(location.hostname)) return false;
  return (await globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false)) ?? false;
}

/** False when the person broke it off. */
export async function setDeviceLock(name, minutes) {
  const random = (count) => crypto.getRandomValues(new Uint8Array(count));
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: random(32), rp: { name }, user: { id: random(16), name, displayName: name },
      pubKeyCredParams: Object.keys(algorithms).map((alg) => ({ type: "public-key", alg: Number(alg) })),
      authenticatorSelection: { authenticatorAttachment: "platform", userVerification: "required", residentKey: "discouraged" },
      attestation: "none",
    },
  }).catch(() => null);
  const key = credential?.response.getPublicKey();
  if (!key) return false;
  const made = { kind: "device", id: credential.rawId, key, algorithm: String(credential.response.getPublicKeyAlgorithm()), minutes };
  if (!algorithms[made.algorithm]) return false;
  await changeSetting("tries", () => undefined);
  lock = await changeSetting("lock", () => made);
  return true;
}

/** Asks the device to verify its owner. */
export async function tryDeviceLock() {
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const credential = await navigator.credentials.get({
    publicKey: { challenge, allowCredentials: [{ type: "public-key", id: lock.id, transports: ["internal"] }], userVerification: "required" },
  }).catch(() => null);
  if (!credential || !(await isGenuine(credential.response, challenge))) return false;
  verifiedAt = Date.now();
  return true;
}

/** WebAuthn Level 2 section 7.2, as far as a page can check what it asked for itself. */
async function isGenuine({ clientDataJSON, authenticatorData, signature }, challenge) {
  const client = JSON.parse(new TextDecoder().decode(clientDataJSON));
  if (client.type !== "webauthn.get" || client.challenge !== base64url(challenge) || client.origin !== location.origin) return false;
  const data = new Uint8Array(authenticatorData);
  const place = await crypto.subtle.digest("SHA-256", utf8.encode(location.hostname));
  if (base64url(data.slice(0, 32)) !== base64url(place) || (data[32] & isPresentAndVerified) !== isPresentAndVerified) return false;
  const algorithm = algorithms[lock.algorithm];
  const key = await crypto.subtle.importKey("spki", lock.key, algorithm, false, ["verify"]);
  const signed = new Uint8Array([...data, ...new Uint8Array(await crypto.subtle.digest("SHA-256", clientDataJSON))]);
  const bytes = new Uint8Array(signature);
  return crypto.subtle.verify(algorithm, key, algorithm.name === "ECDSA" ? rawSignature(bytes) : bytes, signed);
}

/** WebAuthn gives ECDSA signatures as a DER sequence of two integers; WebCrypto takes their 32 bytes each. */
function rawSignature(der) {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const integer = der.slice(at + 2, at + 2 + der[at + 1]);
    at += 2 + der[at + 1];
    const digits = integer.slice(Math.max(0, integer.length - 32));
    raw.set(digits, end - digits.length);
  }
  return raw;
}
