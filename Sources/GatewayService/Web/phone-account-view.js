// An account's menu: what it is, phone sign-in on and off, removal.

import { persistently, Problem } from "./api.js";
import { busy, byId, fieldError, openDialog, problemText, text, toast } from "./page.js";
import { accountOf, askPhoneSignIn, change, forget, remove } from "./phone-accounts.js";
import { answerRequest, isTemporary } from "./phone-answers.js";
import { accountState, fullName, isNumber, outcomeWords, timeLeft } from "./phone-cards.js";
import { here } from "./phone-clock.js";
import { asDevice } from "./phone-device.js";
import { verification } from "./phone-lock-view.js";
import { ask, learn, requestOf } from "./phone-requests.js";
import { Ring, showNumber } from "./ring.js";

const setUpScreens = ["secret", "set-up-number", "register", "finish"];
const problems = {
  single_tenant: "phoneSays.singleTenant", refused: "phoneSays.setUpRefused", update_required: "phoneSays.activationUpdate",
  invalid_proof: "phoneSays.removedText", not_authenticated: "phoneSays.removedText",
};

const ring = new Ring(document.querySelector("[data-set-up-ring]"));
let screens = null;
/** `{request, number, typed}`: the set-up of phone sign-in that waits for its confirmation. */
let setUp = null;
let clock = 0;

export function startAccounts(page) {
  screens = page;
}

const current = () => accountOf(screens.details.account);

export function arriveAtAccount(screen) {
  if (["account", "set-up", ...setUpScreens].includes(screen) && !current()) return "home";
  if (["set-up-number", "register"].includes(screen) && !isOpen()) return "account";
  if (screen === "set-up" && current().isPhoneSignInRefused) return "account";
  return screen === "finish" ? "account" : screen;
}

export function showAccount(screen) {
  if (!["set-up-number", "register"].includes(screen)) ring.stop();
  clearInterval(clock);
  const account = current();
  if (!account) return;
  for (const [name, value] of [["full", fullName(account)], ["name", account.displayName], ["tenant", account.tenantName], ["device", account.deviceName]]) {
    for (const element of byId("phone").querySelectorAll(`[data-account-${name}]`)) element.textContent = value;
  }
  byId("phone").querySelector("[data-account-username]").value = account.username;
  if (screen === "account") drawMenu(account);
  if (screen === "secret") drawSecret(false);
  if (screen === "set-up-number") drawNumber();
  if (screen === "register") drawRegistration();
}

function phoneSignInState({ phoneSignIn, isPhoneSignInRefused, state }) {
  if (!phoneSignIn || state === "removed") return "phoneSays.off";
  return isPhoneSignInRefused ? "phoneSays.blockedBadge" : "phoneSays.on";
}

function drawMenu(account) {
  byId("account-username").textContent = account.username;
  byId("account-server").textContent = account.serverName;
  byId("account-device").textContent = account.deviceName;
  byId("account-phone-sign-in").textContent = text(phoneSignInState(account));
  const trouble = accountState(account)[2];
  byId("account-trouble").hidden = !trouble;
  byId("account-trouble").querySelector("span").textContent = trouble ?? "";
  byId("confirm-choice").hidden = account.state !== "awaitingConfirmation";
  const isOff = account.state === "active" && !account.phoneSignIn;
  byId("set-up-choice").hidden = !isOff || account.isPhoneSignInRefused === true;
  byId("no-phone-sign-in").hidden = !isOff || !account.isPhoneSignInRefused;
  byId("disable-choice").hidden = account.state !== "active" || !account.phoneSignIn;
}

/** Draws the menu anew when the account has changed under it. */
export function redrawMenu() {
  if (screens.current === "account" && current()) showAccount("account");
}

// ---- phone sign-in: set up

/** How long a lost network may hold up a step. */
const stepMax = 15_000;

const isOpen = () => setUp !== null && requestOf(setUp.request.id) !== null;

/** Asks the server to begin; true when it has. `credential` is empty where a pass counts that the activation was made with. */
async function begin(account, credential) {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const attempt = () => asDevice(account, "POST", "/phone-sign-in", { body: credential, headers });
  const { body } = await persistently(attempt, AbortSignal.timeout(stepMax));
  await ask(account);
  const request = requestOf(body.challengeId);
  if (!request) throw new Problem("refused", { code: "expired" });
  setUp = { request, number: body.number, typed: "" };
  screens.go("set-up-number", { replace: true });
}

const isAboutCredential = (problem) => problem.code === "refused" && problem.members.reason === "credential";

async function explain(problem, account) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) await learn(account, problem);
  return problem.code in problems ? text(problems[problem.code], { minimum: problem.members.minimum ?? "" }) : problemText(problem);
}

byId("set-up-continue").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  const account = current();
  const failed = byId("set-up-failed");
  failed.hidden = true;
  try {
    const { refusal, needsCredential } = await persistently(() => askPhoneSignIn(account), AbortSignal.timeout(stepMax));
    // Asked beforehand, so that nothing is refused on the way; which version is needed only the refusal itself says.
    if (refusal && refusal !== "update_required") throw new Problem("refused", { code: refusal });
    if (!refusal && needsCredential) return screens.go("secret");
    await begin(account, {});
  } catch (problem) {
    if (isAboutCredential(problem)) return screens.go("secret");
    failed.textContent = await explain(problem, account);
    failed.hidden = false;
  }
}));

function drawSecret(isPass) {
  byId("secret-title").textContent = text(isPass ? "phoneSays.passTitle" : "phoneSays.passwordTitle");
  byId("other-secret").textContent = text(isPass ? "phoneSays.usePassword" : "phoneSays.usePass");
  byId("password-field").hidden = isPass;
  byId("pass-field").hidden = !isPass;
  for (const name of ["password", "pass"]) {
    byId(name).value = "";
    fieldError(byId(name), null);
  }
  byId("secret-failed").hidden = true;
}

byId("other-secret").addEventListener("click", () => {
  drawSecret(byId("pass-field").hidden);
  byId(byId("pass-field").hidden ? "password" : "pass").focus();
});

byId("secret-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const isPass = byId("password-field").hidden;
  const input = byId(isPass ? "pass" : "password");
  const secret = isPass ? input.value.trim() : input.value;
  if (!secret) return fieldError(input, text(isPass ? "phoneSays.needPass" : "phoneSays.needPassword"));
  fieldError(input, null);
  byId("secret-failed").hidden = true;
  busy(event.target.querySelector("button"), async () => {
    const account = current();
    try {
      await begin(account, isPass ? { temporaryAccessPass: secret } : { password: secret });
    } catch (problem) {
      if (isAboutCredential(problem)) return fieldError(input, text(isPass ? "phoneSays.wrongPass" : "phoneSays.wrongPassword"));
      byId("secret-failed").textContent = await explain(problem, account);
      byId("secret-failed").hidden = false;
    }
  });
});

function drawNumber() {
  const { request, number } = setUp;
  showNumber(byId("set-up-shown"), number);
  byId("set-up-number").value = "";
  byId("set-up-number").maxLength = request.content.numberDigits;
  fieldError(byId("set-up-number"), null);
  ring.start(here(request.expiresAt), request.lifetime, (seconds) => { if (seconds === 0) failSetUp({ kind: "expired" }); });
}

byId("set-up-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId("set-up-number");
  const typed = input.value.trim();
  if (!isNumber(typed, setUp.request)) return fieldError(input, text("phoneSays.needNumber", { count: setUp.request.content.numberDigits }));
  // Seen here before it uses up the one try.
  if (typed !== setUp.number) return fieldError(input, text("phoneSays.notTheNumber"));
  setUp.typed = typed;
  screens.go("register", { replace: true });
});

function drawRegistration() {
  byId("register-failed").hidden = true;
  ring.start(here(setUp.request.expiresAt), setUp.request.lifetime, (seconds) => {
    byId("register-left").textContent = timeLeft(seconds);
    if (seconds === 0 && byId("register").getAttribute("aria-busy") !== "true") failSetUp({ kind: "expired" });
  });
}

byId("register").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  const { request, typed } = setUp;
  const { mayGoOn, isVerified } = await verification(request);
  if (!mayGoOn) return;
  const outcome = await answerRequest(request, { decision: "approve", number: typed, isVerified });
  if (outcome.kind === "approved") {
    setUp = null;
    return screens.go("finish", { replace: true });
  }
  if (!isTemporary(outcome)) return failSetUp(outcome);
  byId("register-failed").textContent = outcomeWords(outcome);
  byId("register-failed").hidden = false;
}));

/** Back to where it began, which says why. */
function failSetUp(outcome) {
  setUp = null;
  screens.go("set-up", { replace: true });
  byId("set-up-failed").textContent = text("phoneSays.setUpEnded", { why: outcomeWords(outcome) });
  byId("set-up-failed").hidden = false;
}

// ---- phone sign-in off, removal

/** Asks before `work`, which throws a Problem; `forgetting` is what may be done where the server cannot be told. */
function askFirst({ title, words, confirm, forgetting = null }, work) {
  const dialog = byId("account-dialog");
  byId("account-dialog-title").textContent = title;
  byId("account-dialog-words").textContent = words;
  byId("account-dialog-confirm").textContent = confirm;
  byId("account-dialog-failed").hidden = true;
  byId("forget-row").hidden = true;
  byId("account-dialog-confirm").onclick = (event) => busy(event.currentTarget, async () => {
    try {
      await work();
      dialog.close();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      byId("account-dialog-failed").textContent = problemText(problem);
      byId("account-dialog-failed").hidden = false;
      byId("forget-row").hidden = !forgetting;
    }
  });
  byId("forget").onclick = async () => { dialog.close(); await forgetting(); };
  openDialog(dialog, dialog.querySelector("[data-close]"));
}

byId("disable").addEventListener("click", () => {
  const account = current();
  const words = { title: text("phoneSays.disableTitle"), words: text("phoneSays.disableWords"), confirm: text("phoneSays.disableConfirm") };
  askFirst(words, async () => {
    await asDevice(account, "DELETE", "/phone-sign-in");
    await change(account.id, { phoneSignIn: false });
    toast(text("phoneSays.disabled"));
  });
});

byId("remove").addEventListener("click", () => {
  const account = current();
  const done = () => {
    toast(text("phoneSays.accountRemoved", { account: fullName(account) }));
    screens.go("home", { replace: true, details: {} });
  };
  askFirst({
    title: text("phoneSays.removeTitle"), words: text("phoneSays.removeWords", { account: fullName(account) }),
    confirm: text("phoneSays.removeConfirm"), forgetting: async () => { await forget(account.id); done(); },
  }, async () => { await remove(account); done(); });
});
