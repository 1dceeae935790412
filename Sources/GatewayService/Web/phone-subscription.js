// This browser's Web Push subscription, and which accounts' servers have it. The page and its service worker use it alike.

import { asDevice } from "./phone-device.js";
import { base64url, bytesOf } from "./phone-proofs.js";
import { changeSetting, readSetting } from "./phone-store.js";

/** Subscribes for the server that has this key. Asks nobody: throws where the person has not allowed notifications. */
export async function subscribe(pushManager, key) {
  const known = await pushManager.getSubscription();
  if (known && base64url(known.options.applicationServerKey) === key) return known;
  // A browser has one subscription, bound to one key.
  await known?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
}

/** How the server wakes the device now, and by which key: `{transport, applicationServerKey}`. Throws a Problem. */
export async function pushOf(account) {
  return (await asDevice(account, "GET", "/push")).body;
}

/** Gives the subscription to the servers of all active accounts that send by its key and do not have it yet. What does not succeed is
 *  done at the next call. */
export async function tellServers(subscription, key, accounts) {
  const known = (await readSetting("push"))?.endpoint;
  const { endpoint, keys } = subscription.toJSON();
  const told = await Promise.allSettled(accounts.filter(({ state }) => state === "active").map(async (account) => {
    const { transport, applicationServerKey } = await pushOf(account);
    if (applicationServerKey !== key || (transport === "webpush" && known === endpoint)) return;
    await asDevice(account, "PATCH", "", { body: { push: { transport: "webpush", endpoint, p256dh: keys.p256dh, auth: keys.auth } } });
  }));
  const areTold = told.every(({ status }) => status === "fulfilled");
  await changeSetting("push", (wish) => wish && { ...wish, key, endpoint: areTold ? endpoint : null });
}
