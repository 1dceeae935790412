// The overview: how sign-ins ended and how long people took, over time and live.

import { adminPath, adminProblem, asAdmin, notice, query } from "./administration.js";
import { Chart } from "./chart.js";
import { byId, figure, share, text, timeOf } from "./page.js";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const ranges = {
  hour: { length: hour, step: minute, mark: { hour: "2-digit", minute: "2-digit" } },
  day: { length: day, step: hour / 2, mark: { hour: "2-digit", minute: "2-digit" } },
  week: { length: 7 * day, step: 6 * hour, mark: { weekday: "short", day: "numeric" } },
  month: { length: 30 * day, step: day, mark: { day: "numeric", month: "short" } },
};
const refreshPause = 10_000;
// Whoever is not there any more is not kept signed in by a page that goes on asking.
const unattendedMax = 10 * 60_000;

const outcomes = new Chart(byId("outcomes"), "columns");
const answers = new Chart(byId("answers"), "lines");
const chosen = new URL(location.href).searchParams.get("range");
const range = ranges[chosen] ? chosen : "day";
let timer = 0;
let isPaused = false;
let attendedAt = Date.now();

async function load() {
  const { length, step } = ranges[range];
  // Whole steps, so that a column stays where it is while it grows.
  const end = (Math.floor(Date.now() / 1000 / step) + 1) * step;
  const from = new Date((end - length) * 1000).toISOString();
  const to = new Date(end * 1000).toISOString();
  show(await asAdmin("GET", `sign-ins:summary${query({ from, to, step })}`));
}

function show(summary) {
  // What never reached a phone is that alone, whichever way it ended: each request is counted once, and where the log says so of it.
  const { items } = summary;
  const sum = (name) => items.reduce((total, item) => total + item[name], 0);
  const total = ["approved", "denied", "expired", "canceled", "pending", "unreached"].reduce((all, name) => all + sum(name), 0);
  const settled = total - sum("pending") - sum("unreached");
  byId("requests").textContent = figure(total);
  byId("approved-share").textContent = settled ? share(sum("approved") / settled) : "–";
  byId("median").textContent = summary.answers ? seconds(summary.answers.medianMilliseconds) : "–";
  byId("unreached").textContent = figure(sum("unreached"));
  byId("cut").hidden = summary.complete;
  byId("cut").textContent = summary.complete ? "" : text("adminOverviewSays.cut", { from: label(summary.countedFrom) });
  const steps = items.map(({ at }) => ({ label: label(at), mark: timeOf(at, ranges[range].mark) }));
  const series = (name, member, tone) => ({ name, tone, values: items.map((item) => item[member]), total: sum(member) });
  outcomes.show({
    steps, least: 4, format: figure, axis: (value) => (Number.isInteger(value) ? figure(value) : ""),
    series: [
      series(text("adminOverviewSays.approved"), "approved", "tone-approved"),
      series(text("adminOverviewSays.denied"), "denied", "tone-refused"),
      series(text("adminOverviewSays.expired"), "expired", "tone-unanswered"),
      series(text("adminOverviewSays.canceled"), "canceled", "tone-withdrawn"),
      series(text("adminOverviewSays.unreached"), "unreached", "tone-unreached"),
      series(text("adminOverviewSays.pending"), "pending", "tone-open"),
    ],
    none: text("adminOverviewSays.noRequests"),
    summary: text("adminOverviewSays.outcomesSummary", { total: figure(total), approved: figure(sum("approved")), denied: figure(sum("denied")) }),
  });
  const times = (name, member, tone, dashes) => ({
    name, tone, dashes, values: items.map((item) => item.answers?.[member] ?? null), total: summary.answers?.[member] ?? null,
  });
  answers.show({
    steps, least: 1000, format: seconds, axis: (value) => seconds(value, value % 1000 ? 1 : 0), none: text("adminOverviewSays.noAnswers"),
    series: [
      times(text("adminOverviewSays.median"), "medianMilliseconds", "tone-approved"),
      times(text("adminOverviewSays.p90"), "p90Milliseconds", "tone-unanswered", "6 4"),
      times(text("adminOverviewSays.p99"), "p99Milliseconds", "tone-unreached", "2 4"),
    ],
    summary: summary.answers ? text("adminOverviewSays.answersSummary", { count: figure(summary.answers.count), median: seconds(summary.answers.medianMilliseconds) })
      : text("adminOverviewSays.noAnswers"),
  });
}

function label(at) {
  return timeOf(at, { dateStyle: "medium", ...(range === "month" ? {} : { timeStyle: "short" }) });
}

function seconds(milliseconds, digits = milliseconds < 10_000 ? 1 : 0) {
  return text("adminOverviewSays.seconds", { count: figure(milliseconds / 1000, digits) });
}

// ---- live

async function refresh() {
  clearTimeout(timer);
  try {
    await load();
    notice(byId("failed"), null);
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
  follow();
}

function follow() {
  clearTimeout(timer);
  if (Date.now() - attendedAt > unattendedMax) isPaused = true;
  byId("live").classList.toggle("still", isPaused);
  const time = timeOf(Date.now(), { timeStyle: "medium" });
  byId("live").textContent = isPaused ? text("adminOverviewSays.paused") : text("adminOverviewSays.live", { time });
  byId("pause").textContent = isPaused ? text("adminOverviewSays.resume") : text("adminOverviewSays.pause");
  if (!isPaused && !document.hidden) timer = setTimeout(refresh, refreshPause);
}

byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  if (isPaused) follow();
  else refresh();
});
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && !isPaused) refresh();
});
for (const event of ["pointerdown", "pointermove", "keydown"]) addEventListener(event, () => { attendedAt = Date.now(); }, { passive: true });

for (const link of document.querySelectorAll("[data-range]")) {
  if (link.dataset.range === range) link.setAttribute("aria-current", "true");
  link.href = adminPath(query({ range: link.dataset.range }));
}
refresh();
