// What the QR code of an activation holds.

const prefix = "countersign://activate?";
const charactersMax = 4096;

/** `{server, serverName, tenant, ticket, issuer, account}`, or null when it is no activation link. */
export function readActivationLink(text) {
  const link = text.trim();
  if (link.length > charactersMax || !link.startsWith(prefix)) return null;
  const members = new URLSearchParams(link.slice(prefix.length));
  const [server, tenant, ticket] = ["server", "tenant", "ticket"].map((name) => members.get(name) ?? "");
  const url = URL.canParse(server) ? new URL(server) : null;
  // A user name, a query or a fragment could make it look like another server.
  if (!url || !["https:", "http:"].includes(url.protocol) || /[?#@\\\s]/.test(server)) return null;
  if (!/^[a-z0-9-]{1,63}$/.test(tenant) || !/^[\w-]{22,}$/.test(ticket)) return null;
  if (!members.has("issuer") || !members.has("account")) return null;
  return {
    server: server.replace(/\/+$/, ""), serverName: url.host, tenant, ticket,
    issuer: plain(members.get("issuer")), account: plain(members.get("account")),
  };
}

/** This page may call its own origin only, so only accounts of that one can be on this phone. */
export const isHere = ({ server }) => server === location.origin;

/** The same link for the authenticator of its own server. It is in the fragment, which no server sees. */
export const authenticatorAddress = (server, link) => `${server}/authenticator#${link}`;

/** One line that shows what it says: without characters that are not seen or that turn the direction of writing. */
export function plain(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu, "");
}
