// A person's history: recorded events, and the orders about the person, which load a little later.

import { readOrders } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, fill, make } from "./elements.js";
import { returnFocus } from "./focus.js";
import { joined } from "./happenings.js";
import { whileHere } from "./route.js";

/** @import { Happening, Order } from "./api.js" */

// A replay draws it again: a late answer must not replace a newer one.
let drawn = 0;

/**
 * @param {Happening[]} remembered
 * @param {string} user
 */
export function drawHistory(remembered, user) {
  const signal = whileHere();
  const mine = ++drawn;
  /** @type {Order[]} */
  const orders = [];
  drawLines(joined(remembered, orders));

  /** @param {string} token Where the orders continue. */
  async function addOrders(token) {
    fill($("history-more"), make("span", { className: "soft small" }, "Loading orders …"));
    try {
      const page = await readOrders(user, token, signal);
      if (mine !== drawn) return;
      orders.push(...page.orders);
      drawLines(joined(remembered, orders));
      // A page may be empty without being the last one.
      const older = make("button", { type: "button" }, "Load older orders");
      older.onclick = () => addOrders(page.token);
      fill($("history-more"), page.token && older);
      if (token) returnFocus(page.token ? older : $("person-title"));
    } catch (error) {
      if (isOver(error) || mine !== drawn) return;
      fill($("history-more"), make("p", { className: "wrongkey", role: "alert" }, wordsOf(error)));
    }
  }

  addOrders("");
}

/** @param {HTMLElement[]} lines */
function drawLines(lines) {
  fill($("history"), ...(lines.length ? lines : [make("li", { className: "soft" }, "No history yet.")]));
}
