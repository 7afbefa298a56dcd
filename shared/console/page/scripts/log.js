// The history of all orders, newest first, a page at a time.

import { readOrders } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, fill, make, say, show } from "./elements.js";
import { orderLine } from "./events.js";
import { count } from "./numbers.js";
import { viewSignal } from "./route.js";

export function openLog() {
  fill($("log-rows"));
  fill($("log-more"));
  show($("log-card"), false);
  say($("log-message"), "Loading …");
  listOrders("");
}

/** @param {string} begin The token after the last line that is shown; empty for a new list. */
async function listOrders(begin) {
  const signal = viewSignal();
  const firstNew = $("log-rows").children.length;
  try {
    let [token, damaged] = [begin, false];
    // A page may be empty without being the last one.
    for (let pages = 0; pages < 8; pages += 1) {
      const page = await readOrders("", token, signal);
      $("log-rows").append(...page.orders.map((order) => orderLine(order, true)));
      token = page.token;
      damaged ||= page.damaged > 0;
      if (!token || page.orders.length) break;
    }
    drawEnd(token, damaged);
    const first = begin && $("log-rows").children[firstNew];
    if (first instanceof HTMLElement) {
      first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
  } catch (error) {
    if (!needsNoMessage(error)) say($("log-message"), messageOf(error), true);
  }
}

/**
 * @param {string} token Where the list continues.
 * @param {boolean} damaged Whether the log has lines that cannot be read.
 */
function drawEnd(token, damaged) {
  const shown = $("log-rows").children.length;
  const text = `${count(shown, "order", "orders")}, newest first${token ? "; older orders exist" : ""}.`;
  const left = damaged ? " Some lines of the log cannot be read and are not shown." : "";
  say($("log-message"), (shown || token ? text : "No orders yet.") + left);
  show($("log-card"), shown > 0 || token !== "");
  fill($("log-more"), token && moreButton(token));
}

/** @param {string} token */
function moreButton(token) {
  const button = make("button", { type: "button" }, "Show older orders");
  button.onclick = () => {
    button.disabled = true;
    listOrders(token);
  };
  return button;
}
