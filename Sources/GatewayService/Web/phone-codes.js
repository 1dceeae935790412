// Offline codes (RFC 6238), made without a network from a key that no script can read.

const hashes = { SHA1: "SHA-1", SHA256: "SHA-256", SHA512: "SHA-512" };
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `{key, digits, period}` from what an activation replies; throws for what no code can be made from. */
export async function codeMaker({ secret, algorithm, digits, period }) {
  if (!hashes[algorithm] || !(digits >= 6 && digits <= 8) || !(period > 0)) throw new RangeError("no code can be made from this");
  const parameters = { name: "HMAC", hash: hashes[algorithm] };
  const key = await crypto.subtle.importKey("raw", base32(secret), parameters, false, ["sign"]);
  return { key, digits, period };
}

/** The code at a time (milliseconds since 1970), and when the next one takes its place. */
export async function codeAt({ key, digits, period }, time) {
  const step = Math.floor(time / 1000 / period);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  // Dynamic truncation, RFC 4226 section 5.3: the low half-byte of the last byte says where to cut.
  const number = mac.getUint32(mac.getUint8(mac.byteLength - 1) & 0xf) & 0x7fffffff;
  return { code: String(number % 10 ** digits).padStart(digits, "0"), endsAt: (step + 1) * period * 1000 };
}

function base32(text) {
  const bytes = [];
  let bits = 0;
  let value = 0;
  for (const letter of text.replace(/=+$/, "")) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) throw new RangeError("not base32");
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes.push((value >> (bits -= 8)) & 0xff);
  }
  return Uint8Array.from(bytes);
}
