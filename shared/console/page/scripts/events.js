// Events as lines, newest first: orders that people gave, and what the state of a person records.

import { make } from "./elements.js";
import { personHash } from "./route.js";
import { moment } from "./time.js";
import { EVENTS, ORDERS, RESULTS, statusName } from "./words.js";

/** @import { Child } from "./elements.js" */
/** @import { HistoryEvent, Order } from "./api.js" */

/** @type {Record<string, string>} */
const WHO = { key: "somebody with a function key", queue: "a message typed into a queue" };

/**
 * Recorded events and orders in one list; an order and its result are one line.
 *
 * @param {HistoryEvent[]} events
 * @param {Order[]} orders
 */
export function joined(events, orders) {
  const lines = [
    ...events.map((one) => ({ at: one.at, drawn: eventLine(one) })),
    ...orders.map((one) => ({ at: one.at, drawn: orderLine(one, false) })),
  ];
  return lines.sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).map(({ drawn }) => drawn);
}

/** @param {HistoryEvent} entry */
function eventLine({ at, event, detail }) {
  return line(at, make("b", {}, EVENTS[event] ?? event), detail && ` · ${detail}`);
}

/**
 * @param {Order} order
 * @param {boolean} named Whether the line names the user.
 */
export function orderLine({ at, order, by, userId, userPrincipalName, options, result, detail }, named) {
  const user = userPrincipalName || userId;
  return line(
    at,
    make("b", {}, ORDERS[order] ?? order),
    options && ` (${options})`,
    ...(named && user ? [" of ", make("a", { href: personHash(userId || user) }, user)] : []),
    ", ordered by ",
    by.name || (WHO[by.via] ?? by.via),
    ` · ${result ? RESULTS[result] ?? EVENTS[result] ?? statusName(result) : "No result yet"}`,
    detail && ` · ${detail}`,
  );
}

/**
 * @param {string} at
 * @param {...Child} parts
 */
function line(at, ...parts) {
  return make("li", {}, moment(at), make("span", {}, ...parts));
}
