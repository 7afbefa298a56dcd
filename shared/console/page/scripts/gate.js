// Signing in, with a key that is kept while the tab is open or with a Microsoft account, and signing
// out, which clears everything that was shown.

import { readMe } from "./api.js";
import { isOver, mayAsk, useKey, useNothing, useSession, wordsOf } from "./call.js";
import { $, fill, say, show } from "./elements.js";
import { forgetOverview, lookAround } from "./overview.js";
import { allowOrders } from "./rights.js";
import { leave } from "./route.js";
import { focusTitle, go } from "./views.js";

const STORED_KEY = "photosync.key";
// The app says in the page's first element how people sign in.
const BY_SIGN_IN = document.documentElement.dataset.entry === "sign-in";
const INSIDE = ["nav", "refresh", BY_SIGN_IN ? "sign-out" : "forget"];
const SHOWN = ["home", "person", "doctor", "trouble", "viewer", "dry-run", "brake", "halted", "audit-brake", "deaf"];

/** Forget everything and ask again for the key, or to sign in. */
export function shutOut(why = "") {
  leave();
  useNothing();
  sessionStorage.removeItem(STORED_KEY);
  forgetOverview();
  for (const id of [...SHOWN, ...INSIDE]) show($(id), false);
  fill($("rows"));
  say($("freshness"), "");
  say($("who"), "");
  document.title = "PhotoSync";
  if (BY_SIGN_IN) askToSignIn(why);
  else askForKey(why);
}

/** @param {string} why */
function askForKey(why) {
  show($("gate"), true);
  say($("wrong-key"), why);
  $("key", HTMLInputElement).value = "";
  $("key").focus();
}

/** @param {string} why */
function askToSignIn(why) {
  show($("sign-in"), true);
  say($("not-signed-in"), why);
  // Return to this page, whatever route prefix the host has.
  const back = encodeURIComponent(location.pathname);
  $("sign-in-link", HTMLAnchorElement).href = `/.auth/login/aad?post_login_redirect_uri=${back}`;
  // A person without a role must sign out before Microsoft asks for another account.
  show($("sign-out"), true);
  $("sign-in-title").focus();
}

/** @param {string} text */
function takeKey(text) {
  const typed = text.trim();
  if (!/^[\x21-\x7e]+$/.test(typed)) {
    return shutOut("This is not a function key: it contains characters that no key has.");
  }
  useKey(typed);
  sessionStorage.setItem(STORED_KEY, typed);
  say($("wrong-key"), "");
  show($("gate"), false);
  enter();
}

function enter() {
  for (const id of INSIDE) show($(id), true);
  go(false);
  lookAround();
}

export function takeTypedKey() {
  takeKey($("key", HTMLInputElement).value);
  if (mayAsk()) focusTitle();
}

function keyFromAddress() {
  const address = new URL(location.href);
  const given = address.searchParams.get("code");
  if (given === null) return "";
  // Remove it from the address bar, the history and bookmarks at once.
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
  return given;
}

async function takeSession() {
  useSession();
  try {
    const { name, role } = await readMe();
    say($("who"), `${name} (${role})`);
    allowOrders(role === "Operator");
    enter();
  } catch (error) {
    if (!isOver(error)) shutOut(wordsOf(error));
  }
}

/** Begin with the session, the key in the address, or the key that this tab used before. */
export function begin() {
  const given = keyFromAddress();
  if (BY_SIGN_IN) return void takeSession();
  const key = given || sessionStorage.getItem(STORED_KEY) || "";
  if (key) takeKey(key);
  else shutOut();
}
