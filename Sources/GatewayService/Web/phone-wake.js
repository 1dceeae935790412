// What the service worker does when a push comes: it asks, signed, what waits, and shows that. A push itself says nothing but that.

import { plain } from "./activation-link.js";
import { asDevice } from "./phone-device.js";
import { bytesOf } from "./phone-proofs.js";
import { readAccounts, readSetting } from "./phone-store.js";
import { subscribe, tellServers } from "./phone-subscription.js";

const page = "/authenticator";
const tag = "request";
const fallback = { title: "Countersign", waits: "A sign-in waits for your answer.", nothing: "Nothing waits for your answer any more." };
/** A browser gives a push some seconds, and shows a notice of its own when nothing was shown by then. */
const askingMax = 5000;

const windows = async () => (await clients.matchAll({ type: "window", includeUncontrolled: true })).filter(({ url }) => new URL(url).pathname === page);

export async function wake() {
  const open = await windows();
  for (const client of open) client.postMessage("wake");
  // What is looked at shows the request itself.
  if (open.some(({ visibilityState }) => visibilityState === "visible")) return;
  const [wish, lock] = await Promise.all([readSetting("push"), readSetting("lock")]).catch(() => []);
  const words = { ...fallback, ...wish?.words };
  const waiting = await requests().catch(() => null);
  if (!waiting) return show(words.waits, "");
  // Something must be shown for each push; that a request has ended calls nobody, whether another still waits or not.
  if (waiting.length === 0) return show(words.nothing, "", quietly);
  const ids = waiting.map(({ id }) => id);
  const how = { ...((await areShown(ids)) ? quietly : loudly), data: ids };
  // With a lock nobody reads who signs in where.
  if (lock) return show(words.waits, "", how);
  const [{ account, content }] = waiting;
  const lines = [`${account.username} · ${account.tenantName}`, plain(content.application ?? ""), plain(content.location ?? "")];
  return show(words.title, lines.filter(Boolean).join("\n"), how);
}

const loudly = { renotify: true };
const quietly = { renotify: false, silent: true };

/** Whether the notice that stands there now has called for all of these already. */
async function areShown(ids) {
  const shown = (await registration.getNotifications({ tag })).flatMap(({ data }) => data ?? []);
  return ids.every((id) => shown.includes(id));
}

/** What waits for this phone's accounts. Throws when none of them gets an answer. */
async function requests() {
  const signal = AbortSignal.timeout(askingMax);
  const accounts = (await readAccounts()).filter(({ state }) => state === "active");
  const asked = await Promise.allSettled(accounts.map(async (account) => {
    const { body } = await asDevice(account, "GET", "/challenges", { signal });
    return body.challenges.map(({ id, content }) => ({ id, account, content: JSON.parse(new TextDecoder().decode(bytesOf(content))) }));
  }));
  if (!asked.some(({ status }) => status === "fulfilled")) throw new Error("not asked");
  return asked.flatMap(({ value }) => value ?? []);
}

function show(title, body, how = loudly) {
  // The same tag for all: one takes the place of another.
  return registration.showNotification(title, { body, tag, icon: "/assets/authenticator-192.png", ...how });
}

/** The page, where it is open, or a new one. */
export async function open(notification) {
  notification.close();
  const [known] = await windows();
  return known ? known.focus() : clients.openWindow(page);
}

/** The push service has ended the subscription, or made another. */
export async function renew({ newSubscription }) {
  const wish = await readSetting("push");
  if (!wish) return;
  const subscription = newSubscription ?? await subscribe(registration.pushManager, wish.key);
  await tellServers(subscription, wish.key, await readAccounts());
}
