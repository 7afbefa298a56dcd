// A person's history: what PhotoSync remembers, and the orders about them, which come a little later.

import { readOrders } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, fill, make } from "./elements.js";
import { returnFocus } from "./focus.js";
import { joined } from "./happenings.js";
import { whileHere } from "./route.js";

/** @import { Happening, Order } from "./api.js" */

// After a replay it is drawn again: an answer that comes late must not take the place of a newer one.
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

  /** @param {string} token Where the orders go on. */
  async function addOrders(token) {
    fill($("history-more"), make("span", { className: "soft small" }, "Loading orders …"));
    try {
      const page = await readOrders(user, token, signal);
      if (mine !== drawn) return;
      orders.push(...page.orders);
      drawLines(joined(remembered, orders));
      // A page may be empty, and still not be the last.
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
