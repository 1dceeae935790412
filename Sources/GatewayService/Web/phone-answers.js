// Sends what the person decided, and says what became of it.

import { call, persistently, Problem } from "./api.js";
import { accountOf, askPhoneSignIn, change, forget } from "./phone-accounts.js";
import { now } from "./phone-clock.js";
import { withoutCookies } from "./phone-device.js";
import { signedAnswer } from "./phone-proofs.js";
import { answered, ask, learn, settled } from "./phone-requests.js";

/** How long one answer is repeated before the person is told that it did not arrive. */
const deliveryMax = 20_000;

/** Answers as they were signed: signatures differ each time, and only the same bytes are a repeat. */
const unconfirmed = new Map();

/** `{decision, number, isVerified}`: approve (with the number as typed), decline, report. Replies `{kind}`: approved, declined,
 *  reported, wrong_number, tryAgain (the number was wrong, and the request is still open), expired, settled, refused, blocked,
 *  removed, update (with `minimum`), offline, unavailable (both: answer again), failed. */
export async function answerRequest(request, choice) {
  const account = accountOf(request.account);
  if (!account) return { kind: "removed" };
  const name = `${request.id} ${choice.decision} ${choice.number ?? ""}`;
  try {
    if (!unconfirmed.has(name)) unconfirmed.set(name, await signedAnswer(account, request, choice));
    await answered(request.id, choice.decision === "approve");
    const body = { answer: unconfirmed.get(name) };
    const path = `challenges/${encodeURIComponent(request.id)}/answer`;
    const limit = AbortSignal.timeout(Math.max(1000, Math.min(deliveryMax, request.expiresAt - now())));
    const reply = await persistently(() => withoutCookies(call, account, "POST", path, { body }), limit);
    unconfirmed.delete(name);
    return await conclude(account, request, reply.body);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const outcome = await explain(account, request, problem);
    if (isTemporary(outcome)) return outcome;
    unconfirmed.delete(name);
    await answered(request.id, false);
    return outcome;
  }
}

/** Whether the same answer may arrive at a second try. */
export const isTemporary = ({ kind }) => kind === "offline" || kind === "unavailable";

async function conclude(account, request, { status, reason }) {
  if (status === "pending") {
    await answered(request.id, false);
    return { kind: "tryAgain" };
  }
  await settled(request.id, status);
  const isApproved = status === "approved" || status === "redeemed";
  if (request.purpose === "registration") {
    // The activation has ended otherwise, and the device with it.
    if (!isApproved) await forget(account.id);
    else {
      await change(account.id, { state: "active" });
      // What may be set up now is asked again before it is.
      await askPhoneSignIn(account).catch(() => {});
    }
  }
  if (request.purpose === "phoneSignInSetup" && isApproved) await change(account.id, { phoneSignIn: true });
  return { kind: isApproved ? "approved" : reason };
}

async function explain(account, request, problem) {
  if (problem.kind === "offline") return { kind: "offline" };
  if (problem.status === 429 || problem.status >= 500) return { kind: "unavailable" };
  if (problem.code === "update_required") return { kind: "update", minimum: problem.members.minimum ?? "" };
  if (problem.code === "settled" || problem.code === "expired") {
    await settled(request.id, problem.code);
    return { kind: problem.code };
  }
  if (problem.code !== "refused") return { kind: "failed" };
  return { kind: await whyRefused(account) };
}

/** A refused answer is told apart from nothing; whether the device may still be used is. */
async function whyRefused(account) {
  try {
    await ask(account);
  } catch (problem) {
    await learn(account, problem);
    if (problem.status === 401) return "removed";
    if (problem.status === 403) return "blocked";
  }
  return "refused";
}
