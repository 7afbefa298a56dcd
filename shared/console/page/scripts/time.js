// Times in words, measured by the server's clock.

import { make } from "./elements.js";

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "long" });
let clockOffset = 0;

/** @param {string} asOf */
export function setClock(asOf) {
  clockOffset = Date.parse(asOf) - Date.now() || 0;
}

export function now() {
  return Date.now() + clockOffset;
}

/** @param {string} iso */
export function relativeTime(iso) {
  const seconds = (Date.parse(iso) - now()) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return seconds > 5 ? "in less than a minute" : seconds > -10 ? "just now" : "less than a minute ago";
}

/** @param {string | null | undefined} iso */
export function moment(iso, otherwise = "never") {
  if (!iso || Number.isNaN(Date.parse(iso))) return make("span", { className: "soft" }, otherwise);
  return make("time", { dateTime: iso, title: full.format(new Date(iso)) }, relativeTime(iso));
}

export function updateTimes() {
  for (const element of document.querySelectorAll("time")) {
    const words = relativeTime(element.dateTime);
    if (element.textContent !== words) element.textContent = words;
  }
}
