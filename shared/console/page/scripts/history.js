// A person's history: recorded events, and the orders about the person, which load a little later.

import { readOrders } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, fill, make } from "./elements.js";
import { returnFocus } from "./focus.js";
import { joined } from "./events.js";
import { viewSignal } from "./route.js";

/** @import { HistoryEvent, Order } from "./api.js" */

// A replay draws it again: a late answer must not replace a newer one.
let drawn = 0;

/**
 * @param {HistoryEvent[]} events
 * @param {string} user
 */
export function drawHistory(events, user) {
  const signal = viewSignal();
  const mine = ++drawn;
  /** @type {Order[]} */
  const orders = [];
  drawLines(joined(events, orders));

  /** @param {string} token Where the orders continue. */
  async function addOrders(token) {
    fill($("history-more"), make("span", { className: "soft small" }, "Loading orders …"));
    try {
      const page = await readOrders(user, token, signal);
      if (mine !== drawn) return;
      orders.push(...page.orders);
      drawLines(joined(events, orders));
      // A page may be empty without being the last one.
      const older = make("button", { type: "button" }, "Load older orders");
      older.onclick = () => addOrders(page.token);
      fill($("history-more"), page.token && older);
      if (token) returnFocus(page.token ? older : $("person-title"));
    } catch (error) {
      if (needsNoMessage(error) || mine !== drawn) return;
      fill($("history-more"), make("p", { className: "error", role: "alert" }, messageOf(error)));
    }
  }

  addOrders("");
}

/** @param {HTMLElement[]} lines */
function drawLines(lines) {
  fill($("history"), ...(lines.length ? lines : [make("li", { className: "soft" }, "No history yet.")]));
}
