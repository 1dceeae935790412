// The cards of the first screen: what asks for an answer, and the accounts with their codes.

import { looks } from "./outcomes.js";
import { announce, busy, byId, copied, copyOf, dotted, fieldError, openDialog, setIcon, text, timeOf, toast } from "./page.js";
import { allAccounts, accountOf } from "./phone-accounts.js";
import { answerRequest, isTemporary } from "./phone-answers.js";
import { here, now } from "./phone-clock.js";
import { codeAt } from "./phone-codes.js";
import { readUserAgent } from "./phone-facts.js";
import { verification } from "./phone-lock-view.js";
import { isReachable, openRequests } from "./phone-requests.js";
import { Ring } from "./ring.js";

const requestCards = new Map();
const accountCards = new Map();

/** What people call an account: its name, and where it belongs when that is needed to tell it from others. */
export const fullName = (account) => text("phoneSays.accountAt", { name: account.username, organisation: account.tenantName });

// ---- requests

const titles = {
  signIn: ["phone", "phoneSays.signInTitle"], secondFactor: ["key", "phoneSays.secondFactorTitle"],
  registration: ["check", "phoneSays.registrationTitle"],
};

/** A set-up of phone sign-in is answered on its own screens. */
const isListed = ({ purpose }) => purpose in titles;

export const listedRequests = () => openRequests().filter(isListed);

const waitingCards = () => [...requestCards.values()].filter(({ isOver }) => !isOver);
const endedCards = () => [...requestCards.values()].filter(({ isOver }) => isOver);

/** Adds what is new. What became of others stays until it is dismissed, or until the next request is what matters. */
export function drawRequests({ isConfirming }) {
  for (const request of listedRequests()) {
    if (requestCards.has(request.id) || (request.purpose === "registration" && isConfirming(request.account))) continue;
    for (const ended of endedCards()) ended.drop();
    const card = new RequestCard(request);
    requestCards.set(request.id, card);
    byId("requests").append(card.element);
    showOrHide();
    if (requestCards.size === 1) card.focus();
    announce(card.summary);
  }
  showOrHide();
}

/** A request was settled in another way than by its card. */
export function endRequest(request, status) {
  requestCards.get(request.id)?.end(status);
}

export function dropCards() {
  for (const card of requestCards.values()) card.drop();
  for (const card of accountCards.values()) card.drop();
  accountCards.clear();
}

function showOrHide() {
  byId("requests").hidden = requestCards.size === 0;
  // After a report none rings: whoever reads what became of the last one must be able to ask. Without a connection none can appear.
  byId("no-requests").hidden = waitingCards().length > 0 || allAccounts().length === 0 || !isReachable();
}

class RequestCard {
  #request;
  #timer;
  #isWorking = false;

  constructor(request) {
    this.#request = request;
    this.element = copyOf("request-card");
    const [icon, title] = titles[request.purpose];
    setIcon(this.element.querySelector(".request-head"), icon);
    const heading = this.#part("title");
    heading.textContent = text(title);
    heading.id = `request-${request.id}`;
    this.#part("account").textContent = fullName(accountOf(request.account));
    this.#showFacts();
    this.#prepareForm();
    this.#timer = setInterval(() => this.#tick(), 1000);
    this.#tick();
  }

  /** In a sentence or two, for who does not see it come. */
  get summary() {
    const { application } = this.#request.content;
    return dotted(text(titles[this.#request.purpose][1]), this.#part("account").textContent, application);
  }

  focus() {
    const isFree = document.activeElement === document.body || document.activeElement?.matches("h1, #check");
    if (isFree && this.element.checkVisibility()) this.#input.focus();
  }

  get account() {
    return this.#request.account;
  }

  get isOver() {
    return !this.#part("outcome").hidden;
  }

  #part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  get #input() {
    return this.#part("number");
  }

  #showFacts() {
    const { content } = this.#request;
    const facts = {
      application: content.application, location: dotted(content.location, content.ipAddress),
      device: content.userAgent && browserName(content.userAgent), left: " ",
    };
    for (const row of this.element.querySelectorAll("[data-fact]")) {
      const value = facts[row.dataset.fact];
      row.hidden = !value;
      row.querySelector("dd").textContent = value ?? "";
    }
  }

  #prepareForm() {
    const input = this.#input;
    input.id = `number-${this.#request.id}`;
    input.maxLength = this.#request.content.numberDigits;
    this.#part("number-label").htmlFor = input.id;
    if (this.#request.purpose === "registration") this.#part("number-label").textContent = text("phoneSays.numberOfPage");
    const error = input.nextElementSibling;
    error.id = `${input.id}-error`;
    input.setAttribute("aria-describedby", error.id);
    this.element.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const number = input.value.trim();
      if (!isNumber(number, this.#request)) return fieldError(input, text("phoneSays.needNumber", { count: this.#request.content.numberDigits }));
      fieldError(input, null);
      busy(this.#part("approve"), () => this.#answer({ decision: "approve", number }));
    });
    this.#part("decline").addEventListener("click", (event) => busy(event.currentTarget, () => this.#answer({ decision: "decline" })));
    const report = this.#part("report");
    report.addEventListener("click", () => askToReport(() => busy(report, () => this.#answer({ decision: "report" }))));
    this.#part("dismiss").addEventListener("click", () => {
      this.drop();
      byId("phone").querySelector('[data-screen="home"] h1').focus();
    });
  }

  /** Every second. */
  #tick() {
    const left = Math.ceil((this.#request.expiresAt - now()) / 1000);
    if (left <= 0 && !this.#isWorking) return this.end("expired");
    const asked = timeOf(this.#request.content.issuedAt, { timeStyle: "short" });
    this.#part("left").textContent = dotted(asked, text("phoneSays.left", { left: timeLeft(left) }));
  }

  async #answer(choice) {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      const { mayGoOn, isVerified } = choice.decision === "approve" ? await verification(this.#request) : { mayGoOn: true, isVerified: false };
      if (!mayGoOn) return;
      const outcome = await answerRequest(this.#request, { ...choice, isVerified });
      if (isTemporary(outcome)) return fieldError(this.#input, outcomeWords(outcome));
      if (outcome.kind === "tryAgain") {
        this.#input.value = "";
        return fieldError(this.#input, text("phoneSays.tryAgain"));
      }
      this.#conclude(outcome, { isOwn: true });
    } finally {
      this.#isWorking = false;
    }
  }

  /** What became of it elsewhere: of one that nobody has looked at nothing needs to be said. */
  end(status) {
    if (this.#isWorking || this.isOver) return;
    this.#conclude({ kind: status });
  }

  /** `isOwn`: by what the person has just pressed on this card. */
  #conclude(outcome, { isOwn = false } = {}) {
    clearInterval(this.#timer);
    const isTyped = this.#input.value !== "";
    const earlier = endedCards().filter(({ account }) => account === this.account);
    const hadFocus = [this, ...earlier].some(({ element }) => element.contains(document.activeElement));
    const [tone, icon, title] = outcomes[outcome.kind] ?? outcomes.failed;
    this.#part("question").remove();
    this.#part("outcome").hidden = false;
    this.#part("outcome").querySelector(".glyph").className = `glyph large middle ${tone}`;
    setIcon(this.#part("outcome"), icon);
    this.#part("outcome-title").textContent = text(title);
    this.#part("outcome-words").textContent = outcomeWords(outcome, this.#request);
    // What became of an account's last request is what it has to say.
    for (const card of earlier) card.drop();
    const [next] = waitingCards();
    this.#giveWay();
    showOrHide();
    // Who has answered, or has begun to, is at what became of it, and types nothing into another request unawares.
    const goesOn = next && !isOwn && !isTyped;
    if (goesOn) next.focus();
    else if (hadFocus) this.#part("outcome-title").focus({ preventScroll: !next || !isOwn });
    const words = `${this.#part("outcome-title").textContent}. ${this.#part("outcome-words").textContent}`;
    announce(goesOn && hadFocus ? `${words} ${next.summary}` : words);
  }

  /** Below the requests that wait, above what became of other accounts' ones; not when the lock has taken all cards away meanwhile. */
  #giveWay() {
    if (!this.element.isConnected) return;
    const last = waitingCards().at(-1)?.element;
    const place = last ? last.nextElementSibling : byId("requests").firstElementChild;
    if (place !== this.element) byId("requests").insertBefore(this.element, place);
  }

  drop() {
    clearInterval(this.#timer);
    this.element.remove();
    requestCards.delete(this.#request.id);
    showOrHide();
  }
}

export const isNumber = (text, request) => /^\d+$/.test(text) && text.length === request.content.numberDigits;

/** "Chrome on Windows", or what the header says where it is none that people know. */
function browserName(userAgent) {
  const { browser, system } = readUserAgent(userAgent);
  if (browser && system) return text("phoneSays.browserOn", { browser, system });
  return browser ?? system ?? userAgent;
}

export function timeLeft(seconds) {
  if (seconds >= 120) return text("phoneSays.minutesLeft", { count: Math.ceil(seconds / 60) });
  return seconds === 1 ? text("phoneSays.secondLeft") : text("phoneSays.secondsLeft", { count: seconds });
}

function askToReport(report) {
  byId("report-confirm").onclick = () => { byId("report-dialog").close(); report(); };
  openDialog(byId("report-dialog"), byId("report-dialog").querySelector("[data-close]"));
}

/** By what became of a request: tone, icon, title, words. */
const outcomes = {
  approved: [...looks.approved, "phoneSays.approvedTitle", "phoneSays.approved"],
  elsewhere: ["", "info", "phoneSays.approvedElsewhereTitle", "phoneSays.approvedElsewhere"],
  declined: [...looks.declined, "phoneSays.declinedTitle", "phoneSays.declined"],
  denied: [...looks.denied, "phoneSays.deniedTitle", "phoneSays.denied"],
  reported: [...looks.reported, "phoneSays.reportedTitle", "phoneSays.reported"],
  wrong_number: [...looks.wrong_number, "phoneSays.wrongNumberTitle", "phoneSays.wrongNumber"],
  expired: [...looks.expired, "phoneSays.expiredTitle", "phoneSays.expired"],
  canceled: [...looks.canceled, "phoneSays.canceledTitle", "phoneSays.canceled"],
  settled: ["", "info", "phoneSays.settledTitle", "phoneSays.settled"],
  gone: ["", "info", "phoneSays.settledTitle", "phoneSays.settled"],
  refused: ["bad", "alert", "phoneSays.refusedTitle", "phoneSays.refused"],
  blocked: ["bad", "alert", "phoneSays.blockedTitle", "phoneSays.blocked"],
  removed: ["bad", "alert", "phoneSays.removedTitle", "phoneSays.removed"],
  update: ["warning", "alert", "phoneSays.updateTitle", "phoneSays.update"],
  offline: ["warning", "offline", "phoneSays.offlineTitle", "phoneSays.offline"],
  unavailable: ["warning", "clock", "phoneSays.unavailableTitle", "phoneSays.unavailable"],
  failed: ["bad", "alert", "phoneSays.failedTitle", "phoneSays.failed"],
};

/** What the end of an activation means: its link is used up. */
const activations = {
  approved: "phoneSays.registered", wrong_number: "phoneSays.activationWrongNumber", declined: "phoneSays.activationEnded",
  expired: "phoneSays.activationEnded", canceled: "phoneSays.activationEnded", settled: "phoneSays.activationEnded", gone: "phoneSays.activationEnded",
};

export const outcomeLook = ({ kind }) => (outcomes[kind] ?? outcomes.failed).slice(0, 2);
export const outcomeTitle = ({ kind }) => text((outcomes[kind] ?? outcomes.failed)[2]);

export function outcomeWords(outcome, request = null) {
  const application = request?.content.application ?? text("phoneSays.someApplication");
  if (request?.purpose === "registration" && outcome.kind in activations) return text(activations[outcome.kind]);
  const words = text((outcomes[outcome.kind] ?? outcomes.failed)[3], { application, minimum: outcome.minimum ?? "" });
  // Only a request that came after the password tells that somebody has it.
  const isDoubtful = request?.purpose === "secondFactor" && ["reported", "wrong_number"].includes(outcome.kind);
  return isDoubtful ? `${words} ${text("phoneSays.passwordKnown")}` : words;
}

// ---- accounts

export function drawAccounts() {
  const accounts = allAccounts();
  const ids = accounts.map(({ id }) => id);
  for (const [id, card] of accountCards) {
    if (!ids.includes(id)) { card.drop(); accountCards.delete(id); }
  }
  for (const account of accounts) {
    if (!accountCards.has(account.id)) {
      accountCards.set(account.id, new AccountCard(account));
      byId("accounts").append(accountCards.get(account.id).element);
    }
    accountCards.get(account.id).show(account);
  }
  byId("accounts").hidden = accounts.length === 0;
  byId("no-accounts").hidden = accounts.length > 0;
  showOrHide();
}

/** Badge and trouble of an account, `[tone, badge, trouble]`. */
export function accountState({ state, phoneSignIn, isPhoneSignInRefused }) {
  if (state === "awaitingConfirmation") return ["warning", text("phoneSays.awaiting"), text("phoneSays.awaitingText")];
  if (state === "blocked") return ["bad", text("phoneSays.blockedBadge"), text("phoneSays.blockedText")];
  if (state === "removed") return ["bad", text("phoneSays.removedBadge"), text("phoneSays.removedText")];
  if (phoneSignIn && isPhoneSignInRefused) return ["warning", text("phoneSays.phoneSignInRefused"), text("phoneSays.phoneSignInRefusedText")];
  return phoneSignIn ? ["good", text("phoneSays.phoneSignInOn"), null] : ["", text("phoneSays.phoneSignInOff"), null];
}

class AccountCard {
  #account;
  #ring;
  #timer;
  #code = "";
  #endsAt = 0;

  constructor(account) {
    this.element = copyOf("account-card");
    this.#account = account;
    this.#ring = new Ring(this.element.querySelector(".ring"));
    this.element.querySelector("[data-menu]").dataset.account = account.id;
    this.element.querySelector("[data-copy]").addEventListener("click", () => this.#copy());
    this.#next();
  }

  show(account) {
    this.#account = account;
    const part = (name) => this.element.querySelector(`[data-${name}]`);
    part("name").textContent = account.username;
    part("tenant-name").textContent = account.tenantName;
    const [tone, badge, trouble] = accountState(account);
    part("state").className = `badge ${tone}`;
    part("state").textContent = badge;
    part("trouble").hidden = !trouble;
    part("trouble").textContent = trouble ?? "";
    // Such codes are accepted nowhere: showing them would mislead.
    part("code-row").hidden = account.state === "awaitingConfirmation" || account.state === "removed";
    part("menu").setAttribute("aria-label", text("phoneSays.menuOf", { account: fullName(account) }));
    part("copy").setAttribute("aria-label", text("phoneSays.copyOf", { account: fullName(account) }));
  }

  /** Shows the code of this moment, then that of the next step. */
  async #next() {
    const { code, endsAt } = await codeAt(this.#account.code, now());
    if (this.#timer === null) return;
    if (code !== this.#code || endsAt !== this.#endsAt) {
      [this.#code, this.#endsAt] = [code, endsAt];
      const half = Math.ceil(code.length / 2);
      this.element.querySelector("[data-code]").textContent = `${code.slice(0, half)} ${code.slice(half)}`;
      this.#ring.start(here(endsAt), this.#account.code.period * 1000);
    }
    // A background tab's timer is late; a wrong clock may have been learned meanwhile.
    this.#timer = setTimeout(() => this.#next(), Math.min(1000, Math.max(50, endsAt - now())));
  }

  async #copy() {
    if (!await copied(this.#code)) toast(text("phoneSays.copyFailed"));
  }

  drop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#ring.stop();
    this.element.remove();
  }
}
