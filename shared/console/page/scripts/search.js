// The search and the filter above the list of people; the address holds both.

import { $, make } from "./elements.js";
import { homeHash, viewSignal } from "./route.js";
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

/** A delayed search must not leave the view that was opened in the meantime. */
export function searchSoon() {
  const signal = viewSignal();
  clearTimeout(typing);
  typing = setTimeout(() => {
    if (!signal.aborted) search();
  }, 300);
}
