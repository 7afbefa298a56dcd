// The history of all: who ordered what, newest first, a page at a time.

import { readOrders } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, fill, make, say, show } from "./elements.js";
import { orderLine } from "./happenings.js";
import { count } from "./numbers.js";
import { whileHere } from "./route.js";

export function openLog() {
  fill($("log-rows"));
  fill($("log-more"));
  show($("log-card"), false);
  say($("log-told"), "Looking …");
  listOrders("");
}

/** @param {string} begin Where the lines end that are there; none for a new list. */
async function listOrders(begin) {
  const signal = whileHere();
  const firstNew = $("log-rows").children.length;
  try {
    let token = begin;
    // A page may be empty, and still not be the last.
    for (let pages = 0; pages < 8; pages += 1) {
      const page = await readOrders("", token, signal);
      $("log-rows").append(...page.orders.map((order) => orderLine(order, true)));
      token = page.token;
      if (!token || page.orders.length) break;
    }
    drawEnd(token);
    const first = begin && $("log-rows").children[firstNew];
    if (first instanceof HTMLElement) {
      first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
  } catch (error) {
    if (!isOver(error)) say($("log-told"), wordsOf(error), true);
  }
}

/** @param {string} token Where the list goes on. */
function drawEnd(token) {
  const shown = $("log-rows").children.length;
  const told = `${count(shown, "order", "orders")}, newest first${token ? "; there are older ones" : ""}.`;
  say($("log-told"), shown || token ? told : "Nobody ordered anything yet.");
  show($("log-card"), shown > 0 || token !== "");
  fill($("log-more"), token && moreButton(token));
}

/** @param {string} token */
function moreButton(token) {
  const button = make("button", { type: "button" }, "Show older ones");
  button.onclick = () => {
    button.disabled = true;
    listOrders(token);
  };
  return button;
}
