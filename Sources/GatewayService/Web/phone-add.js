// Adds an account: by a link, by the camera, by what was copied; then by the number that the web page shows.

import { Problem } from "./api.js";
import { authenticatorAddress, isHere, readActivationLink } from "./activation-link.js";
import { busy, byId, fieldError, problemText, setIcon, text } from "./page.js";
import { accountOf, activate } from "./phone-accounts.js";
import { answerRequest, isTemporary } from "./phone-answers.js";
import { isNumber, outcomeLook, outcomeTitle, outcomeWords } from "./phone-cards.js";
import { readUserAgent } from "./phone-facts.js";
import { verification } from "./phone-lock-view.js";
import { ask, learn, openRequests } from "./phone-requests.js";
import { canScan, scan } from "./phone-scan.js";

const problems = {
  ticket_used: "phoneSays.ticketUsed", expired: "phoneSays.ticketExpired", refused: "phoneSays.ticketRefused",
  too_many_devices: "phoneSays.tooManyDevices", update_required: "phoneSays.activationUpdate", not_found: "phoneSays.ticketRefused",
};

let screens = null;
/** The link that is being added, in memory only: it is a secret until it is used. */
let link = null;
let camera = null;
/** The account whose number is asked for on the confirmation screen. */
let confirming = null;

export const isConfirming = (id) => screens.current === "confirm" && confirming === id;

export function startAdding(page) {
  screens = page;
}

/** Before `screen` is shown: another one where this one makes no sense any more. */
export function arriveAtAdding(screen) {
  if (screen === "link" && !link) return "add";
  if (screen === "elsewhere" || screen === "outcome") return "home";
  if (screen === "confirm" && accountOf(screens.details.account)?.state !== "awaitingConfirmation") return "home";
  return screen;
}

export function showAdding(screen) {
  camera?.abort();
  if (screen === "add") drawWays();
  if (screen === "scan") scanNow();
  if (screen === "paste") byId("link").value = "";
  if (screen === "link") drawLink();
  if (screen === "confirm") drawConfirmation();
}

async function drawWays() {
  const isPossible = await canScan();
  byId("scan-choice").hidden = !isPossible;
  byId("no-scan").hidden = isPossible;
}

/** What a link leads to; false when it is none. */
export function takeLink(found, { replace = false } = {}) {
  const read = readActivationLink(found);
  if (!read) return false;
  if (isHere(read)) {
    link = read;
    screens.go("link", { replace });
  } else {
    byId("elsewhere-words").textContent = text("phoneSays.elsewhere", { server: read.serverName, here: location.host });
    byId("elsewhere-open").href = authenticatorAddress(read.server, found.trim());
    screens.go("elsewhere", { replace });
  }
  return true;
}

/** What this page was opened with, in the fragment. It leaves the address at once: it is a secret, and history would keep it. */
export function linkOfAddress() {
  const found = location.hash.slice(1);
  if (found) history.replaceState(history.state, "", location.pathname);
  return found;
}

export function takeLinkOfAddress(found) {
  if (!takeLink(found) && !takeLink(decoded(found))) screens.go("paste");
}

function decoded(found) {
  try {
    return decodeURIComponent(found);
  } catch {
    return found;
  }
}

async function scanNow() {
  const mine = (camera = new AbortController());
  const failed = byId("camera-failed");
  failed.hidden = true;
  byId("viewfinder").hidden = false;
  try {
    const found = await scan(byId("camera"), (code) => readActivationLink(code) !== null, mine.signal);
    if (found) takeLink(found, { replace: true });
  } catch (error) {
    const isDenied = error.name === "NotAllowedError";
    failed.querySelector("span").textContent = text(isDenied ? "phoneSays.cameraDenied" : "phoneSays.cameraFailed");
    failed.hidden = false;
    byId("viewfinder").hidden = true;
  }
}

byId("paste-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (takeLink(byId("link").value)) return fieldError(byId("link"), null);
  fieldError(byId("link"), text("phoneSays.noLink"));
});

// ---- the link

function drawLink() {
  byId("link-account").textContent = link.account;
  byId("link-issuer").textContent = link.issuer;
  byId("link-server").textContent = link.serverName;
  byId("link-failed").hidden = true;
  fieldError(byId("device-name"), null);
  if (!byId("device-name").value) byId("device-name").value = ownName();
}

function ownName() {
  const { browser, system } = readUserAgent(navigator.userAgent);
  return browser && system ? text("phoneSays.browserOn", { browser, system }) : text("phoneSays.thisBrowser");
}

byId("link-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("device-name").value.trim();
  if (!name) return fieldError(byId("device-name"), text("phoneSays.needDeviceName"));
  fieldError(byId("device-name"), null);
  busy(event.target.querySelector("button"), async () => {
    byId("link-failed").hidden = true;
    try {
      const account = await activate(link, name);
      link = null;
      screens.go(account.state === "active" ? "home" : "confirm", { replace: true, details: { account: account.id } });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      byId("link-failed").textContent = problem.code in problems
        ? text(problems[problem.code], { minimum: problem.members.minimum ?? "" }) : problemText(problem);
      byId("link-failed").hidden = false;
    }
  });
});

// ---- the number

const registrationOf = (id) => openRequests().find(({ account, purpose }) => account === id && purpose === "registration") ?? null;

async function drawConfirmation() {
  confirming = screens.details.account;
  byId("confirm-number").value = "";
  fieldError(byId("confirm-number"), null);
  if (registrationOf(confirming)) return;
  const account = accountOf(confirming);
  try {
    await ask(account);
  } catch (problem) {
    await learn(account, problem);
  }
}

byId("confirm-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId("confirm-number");
  busy(event.target.querySelector("button"), async () => {
    if (!registrationOf(confirming)) await drawConfirmationKeeping(input);
    const request = registrationOf(confirming);
    if (!request) return fieldError(input, text("phoneSays.notYet"));
    const number = input.value.trim();
    if (!isNumber(number, request)) return fieldError(input, text("phoneSays.needNumber", { count: request.content.numberDigits }));
    fieldError(input, null);
    const { mayGoOn, isVerified } = await verification(request);
    if (!mayGoOn) return;
    const outcome = await answerRequest(request, { decision: "approve", number, isVerified });
    if (isTemporary(outcome)) return fieldError(input, outcomeWords(outcome));
    if (outcome.kind === "tryAgain") {
      input.value = "";
      return fieldError(input, text("phoneSays.tryAgain"));
    }
    showOutcome(outcome, request);
  });
});

async function drawConfirmationKeeping(input) {
  const number = input.value;
  await drawConfirmation();
  input.value = number;
}

function showOutcome(outcome, request) {
  const account = accountOf(confirming);
  const isAdded = outcome.kind === "approved";
  const isEnd = isAdded && account?.isPhoneSignInRefused;
  const [tone, icon] = outcomeLook(outcome);
  byId("outcome-glyph").className = `glyph large middle ${tone}`;
  setIcon(byId("outcome-glyph"), icon);
  byId("outcome-title").textContent = isAdded ? text("phoneSays.registeredTitle") : outcomeTitle(outcome);
  // A wrong number takes the account away, too, and says more.
  byId("outcome-words").textContent =
    account || isAdded || outcome.kind === "wrong_number" ? outcomeWords(outcome, request) : text("phoneSays.activationEnded");
  byId("outcome-next").hidden = isEnd;
  byId("outcome-home").className = `button ${isEnd ? "primary" : "quiet"} block`;
  byId("outcome-next").textContent = text(isAdded ? "phoneSays.setUpNow" : "phoneSays.addAgain");
  byId("outcome-next").onclick = () => screens.go(isAdded ? "set-up" : "add", { replace: true });
  screens.go("outcome", { replace: true, details: { account: confirming } });
}
