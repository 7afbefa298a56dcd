// The rights of the caller: a Viewer sees the buttons of all orders, but they are disabled.

import { $, make, show } from "./elements.js";

let allowed = true;

/** @param {boolean} may */
export function allowOrders(may) {
  allowed = may;
  show($("viewer"), !may);
  for (const place of document.querySelectorAll("fieldset")) restrict(place);
}

/**
 * A group for buttons that give orders.
 *
 * @param {...HTMLElement} buttons
 */
export function orderButtons(...buttons) {
  return restrict(make("fieldset", { className: "orders" }, ...buttons));
}

/** @param {HTMLFieldSetElement} place */
function restrict(place) {
  place.disabled = !allowed;
  if (allowed) place.removeAttribute("aria-describedby");
  else place.setAttribute("aria-describedby", "viewer");
  return place;
}
