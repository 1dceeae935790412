// What a phone signs (docs/protocol/http.md): compact JWS with ES256.

import { now } from "./phone-clock.js";
import { deviceKey } from "./phone-store.js";

const utf8 = new TextEncoder();

export function base64url(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Throws for what is not base64url. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

/** base64url of the SHA-256 of bytes, or of a text's UTF-8. */
export async function digest(content) {
  return base64url(await crypto.subtle.digest("SHA-256", typeof content === "string" ? utf8.encode(content) : content));
}

async function signed(type, reference, payload) {
  const key = await deviceKey();
  const part = (value) => base64url(utf8.encode(JSON.stringify(value)));
  const header = { alg: "ES256", typ: `countersign-${type}+jws`, ...(reference ?? { jwk: key.jwk }) };
  const text = `${part(header)}.${part(payload)}`;
  // WebCrypto's ECDSA signature is r and s, as JWS wants it.
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, utf8.encode(text));
  return `${text}.${base64url(signature)}`;
}

const seconds = () => Math.floor(now() / 1000);
const audience = ({ server, tenant }) => `${server}/${tenant}`;

/** This phone has its key, here and now, for this ticket. */
export async function activationProof(link) {
  return signed("activation", null, { aud: audience(link), ticket: await digest(link.ticket), iat: seconds() });
}

/** For one request: its method, URL and body's text. */
export async function requestProof(account, method, url, body) {
  const jti = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const payload = { htm: method, htu: url, iat: seconds(), jti };
  if (body !== undefined) payload.bdh = await digest(body);
  return signed("device", { kid: account.id }, payload);
}

/** What the person decided about exactly what was shown. `number` goes with `approve` only. */
export function signedAnswer(account, request, { decision, number, isVerified }) {
  const typed = decision === "approve" ? { number } : {};
  return signed("answer", { kid: account.id }, {
    aud: audience(account), challenge: request.id, decision, ...typed, content: request.digest, iat: seconds(), uv: isVerified,
  });
}
