// The list of people, a page at a time, filtered by a search and a status.

import { readPeople } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, badge, fill, inside, make, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { nameOf } from "./names.js";
import { uncheckedCell } from "./unchecked.js";
import { people } from "./numbers.js";
import { drawOverview } from "./overview.js";
import { thumbnail } from "./photos.js";
import { currentRoute, personHash, viewSignal } from "./route.js";
import { moment } from "./time.js";
import { DIFFERS, GONE, statusName } from "./words.js";

/** @import { Child } from "./elements.js" */
/** @import { Entry, People } from "./api.js" */

const NARROW = matchMedia("(max-width: 40rem)");

export function openHome() {
  const { search, status } = currentRoute();
  const typed = $("search", HTMLInputElement);
  if (typed.value.trim() !== search) typed.value = search;
  $("status", HTMLSelectElement).value = status;
  drawOverview();
  fill($("more"), make("span", { className: "soft" }, "Loading …"));
  listPeople("");
}

/** @param {string} token The token after the last row that is shown; empty for a new list. */
async function listPeople(token) {
  const signal = viewSignal();
  const rows = $("rows");
  const firstNew = token ? rows.children.length : 0;
  $("people").setAttribute("aria-busy", "true");
  try {
    drawMore(await addRows(token, signal));
    const first = firstNew && rows.children[firstNew];
    if (first) inside(first, "a").focus({ preventScroll: true });
  } catch (error) {
    if (needsNoMessage(error)) return;
    fill($("more"), make("p", { className: "error", role: "alert" }, messageOf(error)));
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
  let page = await readPeople(question(begin, size), signal);
  if (!begin) fill($("rows"));
  let got = append(page, signal);
  // A page may be short or even empty without being the last one.
  for (let pages = 1; pages < 8 && page.token && got < size; pages += 1) {
    page = await readPeople(question(page.token, size - got), signal);
    got += append(page, signal);
  }
  return page;
}

/**
 * @param {People} page
 * @param {AbortSignal} signal
 */
function append({ users }, signal) {
  $("rows").append(...users.map((entry) => row(entry, signal)));
  return users.length;
}

/**
 * @param {string} token
 * @param {number} size
 */
function question(token, size) {
  const { search, status } = currentRoute();
  const query = new URLSearchParams({ search, token, size: String(size) });
  if (status === GONE || status === DIFFERS) query.set(status, "true");
  else query.set("status", status);
  return query;
}

/** @param {People} page The page that was read last. */
function drawMore({ token, sortedWithin, unasked }) {
  const { search, status } = currentRoute();
  const shown = $("rows").children.length;
  const order = sortedWithin ? `, by name within each ${sortedWithin.toLocaleString("en")}` : "";
  /** @type {Child[]} */
  const parts = [];
  if (shown || token) {
    parts.push(make("span", { className: "soft small" }, people(shown) + (token ? " so far" : "") + order));
  } else {
    const none = search || status ? "No matching people." : "No people yet.";
    parts.push(make("p", { className: "soft" }, none));
  }
  if (shown && search && !status && !search.includes("@")) {
    const other = "Looking for somebody else? Enter the whole address of a person whom PhotoSync has not checked yet.";
    parts.push(make("span", { className: "soft small" }, other));
  }
  if (unasked) {
    const why = `Microsoft 365 could not be searched for others: ${unasked}`;
    parts.push(make("p", { className: "error", role: "alert" }, why));
  }
  if (token) parts.push(moreButton(token));
  // The search asks Microsoft 365 neither by object id nor with a status filter.
  if (!shown && (status ? /@/ : /^[0-9a-f-]{36}$/i).test(search)) {
    parts.push(make("a", { href: personHash(search) }, `Look up ${search} in Microsoft 365`));
  }
  fill($("more"), ...parts);
  say($("found"), shown ? `${people(shown)} listed${token ? ", there may be more" : ""}` : "No people found");
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
  const upn = name !== entry.userPrincipalName && make("span", { className: "upn" }, entry.userPrincipalName);
  const line = make("tr", { role: "row" },
    cell("who", make("a", { className: "name", href: personHash(entry.userId) }, name), upn),
    cell("", thumbnail(entry.userId, "exchange", signal)),
    cell("", thumbnail(entry.userId, "sharepoint", signal)),
    cell("", badge(entry.status, statusName(entry.status))),
    cell("small", entry.status && moment(entry.syncedAt)),
    cell("what", ...(entry.status ? known(entry) : uncheckedCell(entry, signal, (now) => {
      const again = row(now, signal);
      line.replaceWith(again);
      returnFocus(inside(again, "a"));
    }))));
  return line;
}

/**
 * @param {Entry} entry
 * @returns {Child[]}
 */
function known({ damage, detail, dismissed, leftSince, outOfScopeSince }) {
  const since = leftSince || outOfScopeSince;
  return [
    damage || detail, since && " First noticed ", since && moment(since), since && ".", dismissed && " (dismissed)",
  ];
}

/**
 * @param {string} className
 * @param {...Child} children
 */
function cell(className, ...children) {
  return make("td", { className, role: "cell" }, ...children);
}
