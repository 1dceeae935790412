// The accounts of this phone, the same in every tab.

import { call, persistently } from "./api.js";
import { plain } from "./activation-link.js";
import { codeMaker } from "./phone-codes.js";
import { asDevice, withoutCookies } from "./phone-device.js";
import { appVersion, deviceFacts } from "./phone-facts.js";
import { activationProof } from "./phone-proofs.js";
import { askToPersist, changeAccount, dropAccount, keepAccount, readAccounts } from "./phone-store.js";

const tabs = new BroadcastChannel("countersign.authenticator.accounts");
/** How long a lost network may hold up an activation. */
const activationMax = 15_000;

const listeners = new Set();
let accounts = [];

/** `{id, server, serverName, tenant, tenantName, issuer, username, displayName, activatedAt, state, deviceName, phoneSignIn,
 *  isPhoneSignInRefused, appVersion, code}`. `state` is awaitingConfirmation, active, or what the server made of it: blocked, removed.
 *  `isPhoneSignInRefused`: the policy does not let this person have it. */
export const allAccounts = () => accounts;
export const accountOf = (id) => accounts.find((account) => account.id === id) ?? null;

/** Calls back after each change, in this tab or another, until what it returns is called. */
export function onAccounts(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function load() {
  accounts = await readAccounts();
  for (const listener of listeners) listener(accounts);
}

async function changed() {
  await load();
  tabs.postMessage("changed");
}

tabs.addEventListener("message", load);
export const loadAccounts = load;

/** Throws a Problem. The account awaits its confirmation by number. */
export async function activate(link, deviceName) {
  const device = deviceFacts(deviceName);
  const attempt = async () => {
    const body = { ticket: link.ticket, proof: await activationProof(link), device, push: { transport: "none" } };
    return withoutCookies(call, link, "POST", "devices", { body });
  };
  const { body } = await persistently(async () => {
    try {
      return await attempt();
    } catch (problem) {
      if (problem.code !== "clock_skew") throw problem;
      return attempt();
    }
  }, AbortSignal.timeout(activationMax));
  const account = {
    id: body.deviceId, server: link.server, serverName: link.serverName, tenant: link.tenant, tenantName: plain(body.tenant.name),
    issuer: link.issuer, username: plain(body.user.username), displayName: plain(body.user.displayName), activatedAt: Date.now(),
    state: body.state, deviceName, phoneSignIn: false, appVersion, code: await codeMaker(body.offlineCode),
  };
  await keepAccount(account);
  await askToPersist();
  await changed();
  return account;
}

export async function change(id, members) {
  const known = accountOf(id);
  if (!known || Object.entries(members).every(([name, value]) => known[name] === value)) return;
  await changeAccount(id, members);
  await changed();
}

/** Here only. */
export async function forget(id) {
  await dropAccount(id);
  await changed();
}

/** At the server, then here. Throws a Problem, and keeps the account, when the server does not answer. */
export async function remove(account) {
  try {
    // A device that awaits its confirmation can do nothing yet; the server forgets it with its ticket.
    if (account.state !== "awaitingConfirmation") await asDevice(account, "DELETE");
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 403 && problem.status !== 404) throw problem;
  }
  await forget(account.id);
}

/** Learns how it is with phone sign-in at the server. Replies `{refusal, needsCredential}`: the code that a set-up would be refused
 *  with, or null, and whether it takes a password or a pass. Throws a Problem. */
export async function askPhoneSignIn(account) {
  const { body } = await asDevice(account, "GET", "/phone-sign-in");
  await change(account.id, { phoneSignIn: body.enabled, isPhoneSignInRefused: body.refusal === "refused" });
  return body;
}

/** What may have changed while this page was closed: phone sign-in at the server, this app's version here. */
export async function refresh(account) {
  if (account.state !== "active") return;
  await askPhoneSignIn(account);
  if (account.appVersion === appVersion) return;
  const { osVersion } = deviceFacts(account.deviceName);
  await asDevice(account, "PATCH", "", { body: { appVersion, osVersion } });
  await change(account.id, { appVersion });
}
