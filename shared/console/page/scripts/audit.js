// The card about the running audit of SharePoint, or about the last one.

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
  if (!audit) fill($("audit-body"), make("p", { className: "soft" }, "No audit has run yet."));
  else fill($("audit-body"), ...paragraphs(audit));
}

/** @param {Audit} audit */
function paragraphs(audit) {
  const { status, detail, everybody, looked, differ, startedAt, finishedAt, updatedAt, waitingUntil } = audit;
  const failed = status === "failed";
  const ended = failed ? "The last audit failed " : "The last audit ended ";
  const pace = everybody ? "Checking everybody. Started " : "Checking everybody gradually. Started ";
  const checks = status === "running" ? "It has checked" : "It checked";
  const changed = differ ? count(differ, "picture", "pictures") : "no picture";
  const found = `${checks} ${people(looked)} and found ${changed} changed in SharePoint.`;
  const waits = ["It is waiting for the profile budget and continues ", waitingUntil && moment(waitingUntil), "."];
  return [
    status === "running"
      ? make("p", {}, pace, moment(startedAt), ".")
      : make("p", {}, ended, moment(finishedAt || updatedAt), "."),
    make("p", { className: "small soft" }, found, " ", repairs(audit)),
    waitingUntil && make("p", { className: "small soft" }, ...waits),
    detail && make("p", { className: failed ? "message bad" : "small soft" }, detail),
  ];
}

/** @param {Audit} audit */
function repairs({ repair, repairs: held, differ }) {
  if (!differ) return "";
  if (!repair) return "It reports them and repairs nothing.";
  return held === "braked" ? "Their repairs are held back." : "They were queued for repair.";
}
