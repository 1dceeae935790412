// The sign-in log: every request, how it ended and exactly why.

import { adminPath, asAdmin, fill, query, segment, showFacts } from "./administration.js";
import { FilterForm } from "./filters.js";
import { byId, capitalized, copyOf, dayAndTime, dotted, figure, moment, openDialog, setIcon, text } from "./page.js";
import { PagedList } from "./paged-list.js";
import { outcomeLook } from "./outcomes.js";

const purposes = {
  signIn: "adminSignInsSays.signIn", secondFactor: "adminSignInsSays.secondFactor", registration: "adminSignInsSays.registration",
  phoneSignInSetup: "adminSignInsSays.phoneSignInSetup",
};
const methods = { push: "adminSignInsSays.push", code: "adminSignInsSays.code" };

/** A device's own request is done when it is approved: nobody uses it. */
function outcomeOf(entry) {
  const isOwn = entry.purpose === "registration" || entry.purpose === "phoneSignInSetup";
  return isOwn && entry.status === "approved" ? text("adminSignInsSays.done") : wordsOf("status", entry.status);
}

/** The words of a filter are the words of the log. */
function wordsOf(filter, value) {
  return [...byId(filter).options].find((option) => option.value === value)?.textContent ?? value;
}

const filters = new FilterForm(byId("filters"), () => list.start());
const list = new PagedList(byId("entries"), {
  load: (cursor) => asAdmin("GET", `sign-ins${query({ ...filters.members, limit: 50, cursor })}`),
  row(entry) {
    const row = copyOf("entry-row");
    const [look, glyph] = outcomeLook(entry);
    // Nobody was asked: neither a refusal nor a wait of anybody.
    const isQuiet = entry.decoy && look !== "good";
    const tone = isQuiet ? "" : look;
    setIcon(row.querySelector(".glyph"), isQuiet ? "info" : glyph);
    if (tone) row.querySelector(".glyph").classList.add(tone);
    const outcome = row.querySelector("[data-outcome]");
    if (tone) outcome.classList.add(tone);
    const isUnheard = isQuiet && entry.status === "pending";
    fill(row, {
      who: entry.username,
      outcome: isUnheard ? text("adminSignInsSays.unreached") : entry.reason && !entry.decoy ? wordsOf("reason", entry.reason) : outcomeOf(entry),
      where: dotted(
        entry.decoy && entry.reason && wordsOf("reason", entry.reason), entry.application, text(purposes[entry.purpose]), entry.deviceName, entry.ipAddress,
      ),
      when: capitalized(dayAndTime(entry.at)),
    });
    row.querySelector("time").dateTime = entry.at;
    row.querySelector("button").addEventListener("click", () => details(entry));
    return row;
  },
});

function details(entry) {
  const yes = (value) => text(value ? "adminSays.yes" : "adminSays.no");
  showFacts(byId("entry-facts"), [
    [text("adminSignInsSays.user"), entry.username, entry.userId ? adminPath(`/people/${segment(entry.userId)}`) : null],
    [text("adminSignInsSays.status"), outcomeOf(entry)],
    [text("adminSignInsSays.reason"), entry.reason ? wordsOf("reason", entry.reason) : null],
    [text("adminSignInsSays.purpose"), text(purposes[entry.purpose])],
    [text("adminSignInsSays.method"), entry.method ? text(methods[entry.method]) : null],
    [text("adminSignInsSays.application"), entry.application],
    [text("adminSignInsSays.device"), entry.deviceName],
    [text("adminSignInsSays.address"), entry.ipAddress],
    [text("adminSignInsSays.browser"), entry.userAgent],
    [text("adminSignInsSays.at"), moment(entry.at)],
    [text("adminSignInsSays.settledAt"), entry.settledAt ? moment(entry.settledAt) : null],
    [text("adminSignInsSays.latency"), entry.latencyMilliseconds === null ? null : text("adminSignInsSays.seconds", { count: figure(entry.latencyMilliseconds / 1000, 1) })],
    [text("adminSignInsSays.reached"), yes(!entry.decoy)],
    [text("adminSignInsSays.silenced"), yes(entry.silenced)],
    [text("adminSignInsSays.client"), entry.clientId],
    [text("adminSignInsSays.requestId"), entry.requestId],
  ]);
  openDialog(byId("entry-dialog"), byId("entry-dialog").querySelector("[data-close]"));
}

list.start();
