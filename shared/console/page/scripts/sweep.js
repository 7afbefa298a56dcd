// The card about the running sweep, or about the last one.

import { $, fill, make, show } from "./elements.js";
import { people, sum } from "./numbers.js";
import { moment } from "./time.js";

/** @import { Fill, Sweep } from "./api.js" */

/** @param {Sweep | null} sweep */
export function drawSweep(sweep) {
  const running = sweep?.status === "running";
  show($("sweep-bar"), running);
  $("start-sweep", HTMLButtonElement).disabled = running;
  fill($("sweep-eta"));
  if (!sweep) fill($("sweep-body"), make("p", { className: "soft" }, "No sweep has run yet."));
  else if (running) drawRunning(sweep);
  else drawEnded(sweep);
}

/** @param {Sweep} sweep */
function drawRunning({ users, expectedUsers, startedAt, eta }) {
  const bar = $("sweep-bar", HTMLProgressElement);
  // The estimate comes from the last sweep, which may have found fewer people.
  const known = Math.max(expectedUsers, users);
  if (expectedUsers) bar.value = Math.min(1, users / known);
  else bar.removeAttribute("value");
  fill($("sweep-body"), make("p", {}, "Checking everybody. Started ", moment(startedAt), "."));
  fill(
    $("sweep-eta"),
    expectedUsers ? `${users.toLocaleString("en")} of about ${people(known)}` : `${people(users)} so far`,
    eta && "; done ",
    eta && moment(eta),
  );
}

/** @param {Sweep} sweep */
function drawEnded({ status, detail, users, changed, finishedAt, updatedAt }) {
  const failed = status === "failed";
  const ended = failed ? "The last sweep failed " : "The last sweep ended ";
  const did = `It checked ${people(users)} and queued ${people(sum(changed))} to be synced.`;
  fill(
    $("sweep-body"),
    make("p", {}, ended, moment(finishedAt || updatedAt), "."),
    make("p", { className: "small soft" }, did),
    detail && make("p", { className: failed ? "message bad" : "small soft" }, detail),
  );
}

/** @param {Fill | null} newest */
export function drawFill(newest) {
  show($("fill"), newest?.status === "running");
  if (newest?.status !== "running") return;
  const { sent, found, isWhole, startedAt, eta } = newest;
  const bar = $("fill-bar", HTMLProgressElement);
  // While the sweep finds more people, the remaining work is unknown.
  if (isWhole && found) bar.value = Math.min(1, sent / found);
  else bar.removeAttribute("value");
  const all = isWhole ? `of ${people(found)}` : `of ${people(found)} so far`;
  fill($("fill-body"), "Copying as fast as Microsoft allows. Started ", moment(startedAt), "; ",
    `${sent.toLocaleString("en")} ${all} queued`, eta ? "; done " : ".", eta && moment(eta));
}
