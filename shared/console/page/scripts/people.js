// The list of people: a page at a time, narrowed by a search and a status.

import { readPeople } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, badge, fill, inside, make, say } from "./elements.js";
import { nameOf } from "./names.js";
import { people } from "./numbers.js";
import { drawOverview } from "./overview.js";
import { thumbnail } from "./photos.js";
import { here, personHash, whileHere } from "./route.js";
import { moment } from "./time.js";
import { DIFFERS, GONE, statusName } from "./words.js";

/** @import { Child } from "./elements.js" */
/** @import { Entry } from "./api.js" */

const NARROW = matchMedia("(max-width: 40rem)");

export function openHome() {
  const { search, status } = here();
  const typed = $("search", HTMLInputElement);
  if (typed.value.trim() !== search) typed.value = search;
  $("status", HTMLSelectElement).value = status;
  drawOverview();
  fill($("more"), make("span", { className: "soft" }, "Looking …"));
  listPeople("");
}

/** @param {string} token Where the rows end that are there; none for a new list. */
async function listPeople(token) {
  const signal = whileHere();
  const rows = $("rows");
  const firstNew = token ? rows.children.length : 0;
  $("people").setAttribute("aria-busy", "true");
  try {
    const left = await addRows(token, signal);
    drawMore(left);
    const first = firstNew && rows.children[firstNew];
    if (first) inside(first, "a").focus({ preventScroll: true });
  } catch (error) {
    if (isOver(error)) return;
    fill($("more"), make("p", { className: "wrongkey", role: "alert" }, wordsOf(error)));
  } finally {
    if (!signal.aborted) $("people").removeAttribute("aria-busy");
  }
}

/**
 * @param {string} begin
 * @param {AbortSignal} signal
 */
async function addRows(begin, signal) {
  const size = NARROW.matches ? 10 : 25;
  let token = begin;
  let got = 0;
  // A page may be short, or even empty, and still not be the last.
  for (let pages = 0; pages < 8; pages += 1) {
    const page = await readPeople(question(token, size - got), signal);
    if (!begin && got === 0) fill($("rows"));
    $("rows").append(...page.users.map((entry) => row(entry, signal)));
    got += page.users.length;
    token = page.token;
    if (!token || got >= size) break;
  }
  return token;
}

/**
 * @param {string} token
 * @param {number} size
 */
function question(token, size) {
  const { search, status } = here();
  const query = new URLSearchParams({ search, token, size: String(size) });
  if (status === GONE || status === DIFFERS) query.set(status, "true");
  else query.set("status", status);
  return query;
}

/** @param {string} token Where the list goes on. */
function drawMore(token) {
  const { search, status } = here();
  const shown = $("rows").children.length;
  /** @type {Child[]} */
  const parts = [];
  if (shown || token) {
    parts.push(make("span", { className: "soft small" }, people(shown) + (token ? " so far" : "")));
  } else {
    const nobody = search || status ? "Nobody like that is known." : "Nobody is known yet.";
    parts.push(make("p", { className: "soft" }, nobody));
  }
  if (token) parts.push(moreButton(token));
  // Somebody PhotoSync has never met has no state; Graph may know them all the same.
  if (!shown && /@|^[0-9a-f-]{36}$/i.test(search)) {
    parts.push(make("a", { href: personHash(search) }, `Ask Microsoft 365 about ${search}`));
  }
  fill($("more"), ...parts);
  say($("found"), shown ? `${people(shown)} listed${token ? ", there may be more" : ""}` : "Nobody found");
}

/** @param {string} token */
function moreButton(token) {
  const button = make("button", { type: "button" }, "Show more");
  button.onclick = () => {
    button.disabled = true;
    listPeople(token);
  };
  return button;
}

/**
 * @param {Entry} entry
 * @param {AbortSignal} signal
 */
function row(entry, signal) {
  const name = nameOf(entry);
  const since = entry.leftSince || entry.outOfScopeSince;
  const upn = name !== entry.userPrincipalName && make("span", { className: "upn" }, entry.userPrincipalName);
  return make("tr", { role: "row" },
    cell("who", make("a", { className: "name", href: personHash(entry.userId) }, name), upn),
    cell("", thumbnail(entry.userId, "exchange", signal)),
    cell("", thumbnail(entry.userId, "sharepoint", signal)),
    cell("", badge(entry.status, statusName(entry.status))),
    cell("small", moment(entry.syncedAt)),
    cell("what", entry.damage || entry.detail, since && " First noticed ", since && moment(since), since && "."));
}

/**
 * @param {string} className
 * @param {...Child} children
 */
function cell(className, ...children) {
  return make("td", { className, role: "cell" }, ...children);
}
