// A person's history: what PhotoSync remembers, and the orders about them, which come a little later.

import { readOrders } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, fill, make } from "./elements.js";
import { joined } from "./happenings.js";
import { whileHere } from "./route.js";

/** @import { Happening } from "./api.js" */

// After a replay it is drawn again: an answer that comes late must not take the place of a newer one.
let drawn = 0;

/**
 * @param {Happening[]} remembered
 * @param {string} user
 */
export async function drawHistory(remembered, user) {
  const signal = whileHere();
  const mine = ++drawn;
  drawLines(joined(remembered, []));
  fill($("history-more"), make("span", { className: "soft small" }, "Looking for orders …"));
  try {
    const { orders, token } = await readOrders(user, "", signal);
    if (mine !== drawn) return;
    drawLines(joined(remembered, orders));
    const all = make("a", { href: "#/history" }, "Older orders stand in the history of all");
    fill($("history-more"), token && all);
  } catch (error) {
    if (isOver(error) || mine !== drawn) return;
    fill($("history-more"), make("p", { className: "wrongkey", role: "alert" }, wordsOf(error)));
  }
}

/** @param {HTMLElement[]} lines */
function drawLines(lines) {
  fill($("history"), ...(lines.length ? lines : [make("li", { className: "soft" }, "Nothing is written down yet.")]));
}
