// The key: asked for, kept for as long as the tab is open, and forgotten with all that it had shown.

import { hasKey, useKey } from "./call.js";
import { $, fill, say, show } from "./elements.js";
import { forgetOverview, lookAround } from "./overview.js";
import { leave } from "./route.js";
import { focusTitle, go } from "./views.js";

const STORED_KEY = "photosync.key";
const WITH_KEY = ["nav", "refresh", "forget"];
const SHOWN = ["home", "person", "doctor", "trouble", "dry-run", "brake", "halted", "audit-brake", "deaf"];

export function askForKey(why = "") {
  leave();
  useKey("");
  sessionStorage.removeItem(STORED_KEY);
  forgetOverview();
  for (const id of [...SHOWN, ...WITH_KEY]) show($(id), false);
  fill($("rows"));
  say($("freshness"), "");
  show($("gate"), true);
  document.title = "PhotoSync";
  say($("wrong-key"), why);
  $("key", HTMLInputElement).value = "";
  $("key").focus();
}

/** @param {string} text */
function takeKey(text) {
  const typed = text.trim();
  if (!/^[\x21-\x7e]+$/.test(typed)) {
    return askForKey("That is no function key: it has blanks or letters that no key has.");
  }
  useKey(typed);
  sessionStorage.setItem(STORED_KEY, typed);
  say($("wrong-key"), "");
  show($("gate"), false);
  for (const id of WITH_KEY) show($(id), true);
  go(false);
  lookAround();
}

export function takeTypedKey() {
  takeKey($("key", HTMLInputElement).value);
  if (hasKey()) focusTitle();
}

function keyFromAddress() {
  const address = new URL(location.href);
  const given = address.searchParams.get("code");
  if (given === null) return "";
  // Out of the address bar, the history and every bookmark at once.
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
  return given;
}

/** Begin with the key of the address, or with the one that this tab has used before. */
export function begin() {
  const given = keyFromAddress() || sessionStorage.getItem(STORED_KEY) || "";
  if (given) takeKey(given);
  else askForKey();
}
