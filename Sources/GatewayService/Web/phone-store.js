// What this phone keeps, in IndexedDB: its key, its accounts, its settings. Keys are kept as CryptoKeys that no script can read.

const name = "countersign-authenticator";
let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("keys");
      request.result.createObjectStore("accounts", { keyPath: "id" });
      request.result.createObjectStore("settings");
    };
    request.onsuccess = () => {
      // A later version of this page in another tab may change the stores.
      request.result.onversionchange = () => { request.result.close(); opened = null; };
      resolve(request.result);
    };
    request.onerror = () => { opened = null; reject(request.error); };
  });
  return opened;
}

/** Runs `work(stores…)` in one transaction; its result once everything is written. */
async function transact(names, mode, work) {
  const transaction = (await database()).transaction(names, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  const result = await work(...names.map((name) => transaction.objectStore(name)));
  await done;
  return result;
}

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// ---- the key

/** This phone's one key, `{privateKey, jwk}`, made at its first use. `jwk` is the public part. */
export async function deviceKey() {
  const known = await transact(["keys"], "readonly", (keys) => result(keys.get("device")));
  if (known) return known;
  // Not extractable: this page can sign with it, and neither it nor anything else can copy it.
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const made = { privateKey: pair.privateKey, jwk: { kty, crv, x, y } };
  return transact(["keys"], "readwrite", async (keys) => {
    // Another tab may have been first.
    const other = await result(keys.get("device"));
    if (other) return other;
    keys.put(made, "device");
    return made;
  });
}

// ---- accounts

/** Oldest first. */
export async function readAccounts() {
  const accounts = await transact(["accounts"], "readonly", (accounts) => result(accounts.getAll()));
  return accounts.sort((one, other) => one.activatedAt - other.activatedAt);
}

export function keepAccount(account) {
  return transact(["accounts"], "readwrite", (accounts) => result(accounts.put(account)));
}

/** Does nothing where the account is gone. */
export function changeAccount(id, change) {
  return transact(["accounts"], "readwrite", async (accounts) => {
    const account = await result(accounts.get(id));
    if (account) accounts.put({ ...account, ...change });
  });
}

/** With the last account goes the key: the next one is another phone. */
export function dropAccount(id) {
  return transact(["accounts", "keys"], "readwrite", async (accounts, keys) => {
    accounts.delete(id);
    if ((await result(accounts.count())) === 0) keys.delete("device");
  });
}

// ---- settings

export function readSetting(key) {
  return transact(["settings"], "readonly", (settings) => result(settings.get(key)));
}

/** Sets what `change` makes of the value, which is undefined at first; undefined removes it. Returns the new value. */
export function changeSetting(key, change) {
  return transact(["settings"], "readwrite", async (settings) => {
    const value = change(await result(settings.get(key)));
    if (value === undefined) settings.delete(key);
    else settings.put(value, key);
    return value;
  });
}

/** Asks the browser not to drop this when space is short. */
export async function askToPersist() {
  await navigator.storage?.persist?.().catch(() => {});
}
