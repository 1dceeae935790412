// Being woken while this page is closed: the person is offered it once and turns it on and off; the page keeps it going.

import { busy, byId, text, toast } from "./page.js";
import { allAccounts } from "./phone-accounts.js";
import { asDevice } from "./phone-device.js";
import { changeSetting, readSetting } from "./phone-store.js";
import { pushOf, subscribe, tellServers } from "./phone-subscription.js";

const isSupported = "PushManager" in globalThis && "Notification" in globalThis && "serviceWorker" in navigator;
/** By which the servers of this phone's accounts send; null where they do not. */
let key = null;

const manager = async () => (await navigator.serviceWorker.ready).pushManager;
const activeAccounts = () => allAccounts().filter(({ state }) => state === "active");

/** Brings what browser, servers and page know into line, and never asks the person. Call when the page opens and when accounts change. */
export async function keepPush() {
  if (!isSupported) return;
  // One subscription serves one key: that of the oldest account. Accounts of servers with another are shown when the page is open.
  const [oldest] = activeAccounts();
  key = oldest ? (await pushOf(oldest).catch(() => ({ applicationServerKey: key }))).applicationServerKey : null;
  const wish = await readSetting("push");
  if (wish && key && Notification.permission === "granted") await tellServers(await subscribe(await manager(), key), key, allAccounts());
  await drawPush();
}

export async function drawPush() {
  const isOn = Boolean(await readSetting("push"));
  const isBlocked = isSupported && Notification.permission === "denied";
  byId("push-card").hidden = !key;
  byId("push-blocked").hidden = !isBlocked;
  byId("push-on").hidden = isBlocked || isOn;
  byId("push-off").hidden = isBlocked || !isOn;
  byId("push-offer").hidden = !key || isOn || isBlocked || Boolean(await readSetting("pushDeclined"));
}

async function turnOn() {
  try {
    if (await Notification.requestPermission() === "granted") {
      const subscription = await subscribe(await manager(), key);
      // The service worker has no page to take its words from.
      const words = { title: text("phoneSays.signInTitle"), waits: text("phoneSays.pushWaits"), nothing: text("phoneSays.pushNothing") };
      await changeSetting("push", () => ({ key, endpoint: null, words }));
      await tellServers(subscription, key, allAccounts());
      toast(text("phoneSays.pushOn"));
    }
  } catch {
    toast(text("phoneSays.pushFailed"));
  }
  await drawPush();
}

async function turnOff() {
  const subscription = await (await manager()).getSubscription();
  await changeSetting("push", () => undefined);
  await changeSetting("pushDeclined", () => true);
  // A server that is not reached now learns it from the push service: the subscription is gone.
  await Promise.allSettled(activeAccounts().map((account) => asDevice(account, "PATCH", "", { body: { push: { transport: "none" } } })));
  await subscription?.unsubscribe();
  await drawPush();
}

/** What a notification said is on the screen now. */
export async function clearNotifications() {
  if (!isSupported) return;
  const registration = await navigator.serviceWorker.getRegistration("/authenticator");
  for (const notification of await registration?.getNotifications() ?? []) notification.close();
}

for (const button of document.querySelectorAll("[data-push-on]")) button.addEventListener("click", () => busy(button, turnOn));
byId("push-off").addEventListener("click", (event) => busy(event.currentTarget, turnOff));
byId("push-not-now").addEventListener("click", async () => {
  await changeSetting("pushDeclined", () => true);
  await drawPush();
});
