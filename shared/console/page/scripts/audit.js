// The card about the audit of SharePoint that is under way, or about the last one.

import { $, fill, make, show } from "./elements.js";
import { count, people } from "./numbers.js";
import { moment } from "./time.js";

/** @import { Audit } from "./api.js" */

/** @param {Audit | null} audit */
export function drawAudit(audit) {
  const running = audit?.status === "running";
  const bar = $("audit-bar", HTMLProgressElement);
  show(bar, running);
  bar.value = audit?.progress ?? 0;
  $("start-audit", HTMLButtonElement).disabled = running && audit.everybody;
  if (!audit) fill($("audit-body"), make("p", { className: "soft" }, "There has been none yet."));
  else fill($("audit-body"), ...told(audit));
}

/** @param {Audit} audit */
function told(audit) {
  const { status, detail, everybody, looked, differ, startedAt, finishedAt, updatedAt, waitingUntil } = audit;
  const failed = status === "failed";
  const ended = failed ? "The last one failed " : "The last one ended ";
  const pace = everybody ? "Looking at everybody, since " : "Looking at everybody little by little, since ";
  const looks = status === "running" ? "It has looked" : "It looked";
  const changed = differ ? count(differ, "picture", "pictures") : "no picture";
  const found = `${looks} at ${people(looked)} and found ${changed} changed in SharePoint.`;
  const waits = ["It waits for the profile budget, which has room again ", waitingUntil && moment(waitingUntil), "."];
  return [
    status === "running"
      ? make("p", {}, pace, moment(startedAt), ".")
      : make("p", {}, ended, moment(finishedAt || updatedAt), "."),
    make("p", { className: "small soft" }, found, " ", repairs(audit)),
    waitingUntil && make("p", { className: "small soft" }, ...waits),
    detail && make("p", { className: failed ? "told bad" : "small soft" }, detail),
  ];
}

/** @param {Audit} audit */
function repairs({ repair, repairs: held, differ }) {
  if (!differ) return "";
  if (!repair) return "It only reports them.";
  return held === "braked" ? "Their repairs are held back." : "They were sent to be repaired.";
}
