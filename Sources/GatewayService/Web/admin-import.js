// The import of people from a file, and its report line by line.

import { asAdmin, attempt, notice } from "./administration.js";
import { byId, fieldError, figure, openDialog, text } from "./page.js";

const dialog = byId("import-dialog");
const bytesMax = 64 * 1024 * 1024;
/** Passwords are hashed one after the other: a large file takes its time. */
const secondsMax = 3600;
const shownMax = 200;

const words = {
  malformed: "adminPeopleSays.malformed", unknown_member: "adminPeopleSays.unknownMember", too_large: "adminPeopleSays.lineTooLarge",
  invalid_username: "adminPeopleSays.badUsername", invalid_value: "adminPeopleSays.badValue",
};
/** The very fault, where the server says it; `{…}` are its parameters. */
const reasons = {
  line_too_long: "adminImportFaults.lineTooLong", not_text: "adminImportFaults.notText", not_csv: "adminImportFaults.notCSV",
  field_count: "adminImportFaults.fieldCount", not_json: "adminImportFaults.notJSON", member_missing: "adminImportFaults.memberMissing",
  member_type: "adminImportFaults.memberType", username: "adminImportFaults.username", display_name: "adminImportFaults.displayName",
  group_name: "adminImportFaults.groupName", role: "adminImportFaults.role", password_too_short: "adminImportFaults.passwordTooShort",
  password_too_long: "adminImportFaults.passwordTooLong", no_time_left: "adminImportFaults.noTimeLeft",
  changed_meanwhile: "adminImportFaults.changedMeanwhile", header_separator: "adminImportFaults.headerSeparator",
  header_columns: "adminImportFaults.headerColumns", header_without: "adminImportFaults.headerWithout",
  other_encoding: "adminImportFaults.otherEncoding",
};

byId("import").addEventListener("click", () => {
  byId("import-form").reset();
  byId("import-form").hidden = false;
  byId("report").hidden = true;
  fieldError(byId("file"), null);
  notice(byId("import-failed"), null);
  openDialog(dialog, byId("file"));
});

function fault(file) {
  if (!file) return text("adminPeopleSays.needFile");
  if (file.size === 0) return text("adminPeopleSays.emptyFile");
  if (file.size > bytesMax) return text("adminPeopleSays.fileTooLarge");
  return null;
}

byId("import-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = byId("file").files;
  const type = file && /\.(ndjson|jsonl)$/i.test(file.name) ? "application/x-ndjson" : "text/csv";
  const wrong = fault(file);
  fieldError(byId("file"), wrong);
  if (wrong) return;
  await attempt(byId("import-action"), byId("import-failed"), async () => {
    try {
      report(await asAdmin("POST", "users:import", { file, type, wait: secondsMax }));
    } catch (problem) {
      const reason = reasons[problem.members?.reason];
      if (!reason) throw problem;
      const said = text(reason, problem.members);
      fieldError(byId("file"), problem.members.encoding ? said : text("adminPeopleSays.header", { fault: said }));
    }
  });
});

function report({ created, updated, unchanged, problemCount, problems }) {
  byId("import-form").hidden = true;
  byId("report").hidden = false;
  byId("created").textContent = figure(created);
  byId("updated").textContent = figure(updated);
  byId("unchanged").textContent = figure(unchanged);
  byId("refused").textContent = figure(problemCount);
  byId("nobody").hidden = created + updated + unchanged + problemCount > 0;
  byId("problems").hidden = problemCount === 0;
  const shown = problems.slice(0, shownMax);
  byId("problems-words").textContent = shown.length < problemCount
    ? text("adminPeopleSays.firstProblems", { count: figure(shown.length), total: figure(problemCount) }) : text("adminPeopleSays.problems");
  byId("problem-rows").replaceChildren(...shown.map(problemRow));
  byId("report-title").focus();
  if (created + updated > 0) dialog.addEventListener("close", () => dispatchEvent(new Event("peopleimported")), { once: true });
}

function problemRow({ line, code, detail, reason, parameters }) {
  const row = document.createElement("tr");
  const number = document.createElement("th");
  number.scope = "row";
  number.textContent = figure(line);
  const what = document.createElement("td");
  row.append(number, what);
  const fault = reason ? reasons[reason] : code === "unknown_member" ? "adminImportFaults.unknownMember" : null;
  if (fault) {
    what.textContent = text(fault, parameters);
    return row;
  }
  // A fault that this page does not know yet.
  what.textContent = code in words ? text(words[code]) : text("adminPeopleSays.otherProblem");
  const said = document.createElement("p");
  said.className = "fine quiet";
  said.lang = "en";
  said.textContent = detail;
  what.append(said);
  return row;
}
