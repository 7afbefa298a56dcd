// The view that the address names, and the addresses of views.

import { FILTERS } from "./words.js";

/**
 * @typedef {object} Route
 * @property {"home" | "person" | "log" | "doctor"} view
 * @property {string} status
 * @property {string} search
 * @property {string} user
 */

/** @type {Route} */
const HOME = { view: "home", status: "", search: "", user: "" };

let route = HOME;
let viewAbort = new AbortController();

export function currentRoute() {
  return route;
}

/** A signal that aborts when the current view closes. */
export function viewSignal() {
  return viewAbort.signal;
}

export function abortView() {
  viewAbort.abort();
}

/** Open the view that the address names and abort the work of the previous view, which is returned. */
export function changeRoute() {
  abortView();
  viewAbort = new AbortController();
  const last = route;
  route = readRoute();
  return last;
}

/** @returns {Route} */
function readRoute() {
  const [path = "", query = ""] = location.hash.replace(/^#/, "").split("?");
  const [, view, user] = path.split("/");
  if (view === "users" && user) return { ...HOME, view: "person", user: decoded(user) };
  if (view === "doctor") return { ...HOME, view };
  if (view === "history") return { ...HOME, view: "log" };
  const parameters = new URLSearchParams(query);
  const status = parameters.get("status") ?? "";
  return { ...HOME, status: status in FILTERS ? status : "", search: parameters.get("search") ?? "" };
}

/**
 * A decoded part of an address; unchanged if it cannot be decoded.
 *
 * @param {string} text
 */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} user */
export function personHash(user) {
  return `#/users/${encodeURIComponent(user)}`;
}

/**
 * @param {string} status
 * @param {string} search
 */
export function homeHash(status, search) {
  const query = new URLSearchParams();
  if (status) query.set("status", status);
  if (search) query.set("search", search);
  return query.size ? `#/?${query}` : "#/";
}
