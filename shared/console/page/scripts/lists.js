// The short lists beside the people: queue lengths, failures and unreadable messages.

import { $, fill, inside, make, say, show } from "./elements.js";
import { nameOf } from "./names.js";
import { count } from "./numbers.js";
import { orderButtons } from "./rights.js";
import { personHash } from "./route.js";
import { moment } from "./time.js";
import { QUEUES } from "./words.js";

/** @import { Entry, Overview, SetAside } from "./api.js" */

const LONGEST_BODY = 300;

/** @param {Overview["queues"]} queues */
export function drawQueues(queues) {
  fill($("queues"), ...Object.entries(queues).flatMap(([name, number]) => [
    make("dt", { title: name }, QUEUES[name] ?? name), make("dd", {}, number.toLocaleString("en")),
  ]));
}

/**
 * @param {Entry[]} failures
 * @param {number} failed How many failed in all.
 * @param {number} dismissed How many of them are dismissed.
 */
export function drawFailures(failures, failed, dismissed) {
  const newest = failures.length;
  const listed = failed - dismissed;
  show($("failures"), newest > 0 || failed > 0);
  say($("failures-count"), [
    listed > newest ? `The newest ${newest} of ${listed.toLocaleString("en")}.` : "",
    dismissed ? `${count(dismissed, "failure is", "failures are")} dismissed: still counted, but not listed here.` : "",
  ].join(" ").trim());
  fill(inside($("failures"), "ul"), ...failures.map((entry) => make("li", {},
    make("a", { href: personHash(entry.userId) }, nameOf(entry)),
    " ", make("span", { className: "soft small" }, moment(entry.checkedAt)),
    make("p", { className: "small" }, entry.detail || "No reason was recorded."),
    orderButtons(dismissal(entry)))));
}

/** @param {Entry} entry */
function dismissal(entry) {
  const name = nameOf(entry);
  return make("button", {
    type: "button", className: "quiet small", "aria-label": `Dismiss the failure of ${name}`,
    "data-user": entry.userId, "data-name": name,
  }, "Dismiss");
}

/**
 * @param {SetAside[]} newest
 * @param {number} total
 */
export function drawUnreadable(newest, total) {
  show($("unreadable"), newest.length > 0);
  const more = total > newest.length;
  say($("unreadable-count"), more ? `The newest ${newest.length} of ${total.toLocaleString("en")}` : "");
  fill(inside($("unreadable"), "ul"), ...newest.map((message) => make("li", {},
    make("p", { className: "small" }, message.reason, " ",
      message.at && make("span", { className: "soft" }, moment(message.at))),
    make("p", {}, make("code", {}, cut(message.body))),
    make("p", { className: "soft small mono" }, message.name))));
}

/** @param {string} text */
function cut(text) {
  return text.length > LONGEST_BODY ? `${text.slice(0, LONGEST_BODY)} …` : text;
}
