// The search and the filter above the list of people; the address holds both.

import { isSignedIn } from "./call.js";
import { $, make } from "./elements.js";
import { homeHash } from "./route.js";
import { showView } from "./views.js";
import { FILTERS } from "./words.js";

let typing = 0;

export function fillFilters() {
  $("status").append(
    make("option", { value: "" }, "Any status"),
    ...Object.entries(FILTERS).map(([value, name]) => make("option", { value }, name)),
  );
}

export function search() {
  const typed = $("search", HTMLInputElement).value.trim();
  const hash = homeHash($("status", HTMLSelectElement).value, typed);
  if (hash === (location.hash || "#/")) return;
  history.replaceState(null, "", hash);
  showView(false);
}

/**
 * A delayed search must not undo the choice of another address in the meantime, even one whose view
 * has not opened yet.
 */
export function searchSoon() {
  const { hash } = location;
  clearTimeout(typing);
  typing = setTimeout(() => {
    if (isSignedIn() && location.hash === hash) search();
  }, 300);
}
