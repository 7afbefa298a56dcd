// Signing in, with a key that is kept while the tab is open or with a Microsoft account, and signing
// out, which clears everything that was shown.

import { readMe } from "./api.js";
import { needsNoMessage, isSignedIn, useKey, dropCredentials, useSession, messageOf } from "./call.js";
import { $, fill, inside, say, show } from "./elements.js";
import { forgetOverview, refreshOverview } from "./overview.js";
import { allowOrders } from "./rights.js";
import { abortView } from "./route.js";
import { focusTitle, showView } from "./views.js";

const STORED_KEY = "photosync.key";
// The app says in the page's first element how people sign in.
const BY_SIGN_IN = document.documentElement.dataset.entry === "sign-in";
const SIGNED_IN = ["nav", "refresh", BY_SIGN_IN ? "sign-out" : "forget"];

/** Forget everything and ask again for the key, or to sign in. */
export function signOut(why = "") {
  abortView();
  dropCredentials();
  sessionStorage.removeItem(STORED_KEY);
  forgetOverview();
  // All views and banners, whatever is added to them: each may name people.
  for (const part of inside(document.body, "main").children) show(/** @type {HTMLElement} */ (part), false);
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  for (const id of SIGNED_IN) show($(id), false);
  fill($("rows"));
  say($("freshness"), "");
  say($("who"), "");
  document.title = "PhotoSync";
  if (BY_SIGN_IN) askToSignIn(why);
  else askForKey(why);
}

/** @param {string} why */
function askForKey(why) {
  show($("key-form"), true);
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
function acceptKey(text) {
  const typed = text.trim();
  if (!/^[\x21-\x7e]+$/.test(typed)) {
    return signOut("This is not a function key: it contains characters that no key has.");
  }
  useKey(typed);
  sessionStorage.setItem(STORED_KEY, typed);
  say($("wrong-key"), "");
  show($("key-form"), false);
  openConsole();
}

function openConsole() {
  for (const id of SIGNED_IN) show($(id), true);
  showView(false);
  refreshOverview();
}

export function acceptTypedKey() {
  acceptKey($("key", HTMLInputElement).value);
  if (isSignedIn()) focusTitle();
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

async function openSession() {
  useSession();
  try {
    const { name, role } = await readMe();
    say($("who"), `${name} (${role})`);
    allowOrders(role === "Operator");
    openConsole();
  } catch (error) {
    if (!needsNoMessage(error)) signOut(messageOf(error));
  }
}

/** Begin with the session, the key in the address, or the key that this tab used before. */
export function start() {
  const given = keyFromAddress();
  if (BY_SIGN_IN) return void openSession();
  const key = given || sessionStorage.getItem(STORED_KEY) || "";
  if (key) acceptKey(key);
  else signOut();
}
