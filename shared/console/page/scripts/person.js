// One person: both pictures, whether they agree, and the stored details.

import { readPerson } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { drawCard } from "./card.js";
import { $, badge, fill, make, say, show } from "./elements.js";
import { drawProfile, drawState } from "./facts.js";
import { drawHistory } from "./history.js";
import { count } from "./numbers.js";
import { loadInto } from "./photos.js";
import { currentRoute, viewSignal } from "./route.js";
import { statusName } from "./words.js";

/** @import { Person, Side, Unasked } from "./api.js" */

/** @type {Person | null} */
let shown = null;

export function shownPerson() {
  return shown;
}

/** The id by which the API finds the person shown: the name in the address may be outdated. */
export function shownUser() {
  return shown?.user.id || shown?.state?.userId || currentRoute().user;
}

export async function openPerson() {
  const { user } = currentRoute();
  const signal = viewSignal();
  say($("person-title"), user);
  show($("person-body"), false);
  fill($("person-upn"), "Reading Exchange and SharePoint …");
  fill($("person-badges"));
  say($("replay-message"), "");
  try {
    drawPerson(await readPerson(user, signal));
    show($("person-body"), true);
    drawPhotos(signal);
  } catch (error) {
    if (needsNoMessage(error)) return;
    fill($("person-upn"), make("span", { className: "error", role: "alert" }, messageOf(error)));
  }
}

/** @param {Person} person */
export function drawPerson(person) {
  shown = person;
  drawName(person);
  drawCard(person.card);
  drawVerdict(person);
  drawChoice(person);
  drawState(person.state);
  const unasked = person.agree === null;
  const without = unasked ? "It could not be read." : "SharePoint has no profile for this person yet.";
  drawProfile(person.profile, without);
  drawHistory(person.history, shownUser());
  enableReplays(true);
}

/** @param {boolean} enabled */
export function enableReplays(enabled) {
  for (const id of ["replay", "force", "replace"]) $(id, HTMLButtonElement).disabled = !enabled;
}

/** @param {Person} person */
function drawName({ user, state }) {
  const upn = user.userPrincipalName || state?.userPrincipalName || "";
  const name = user.displayName || upn || currentRoute().user;
  document.title = `${name} · PhotoSync`;
  say($("person-title"), name);
  fill($("person-upn"), name !== upn && upn);
  fill(
    $("person-badges"),
    badge(state?.status ?? "", statusName(state?.status ?? "")),
    user.accountEnabled === false && badge("plain", "Account disabled"),
    user.guest && badge("plain", "Guest"),
  );
}

/** @param {Person} person */
function drawVerdict({ agree, difference, card, unasked = [] }) {
  const leftAlone = agree === false && card.byDesign;
  const [sign, verdict] = leftAlone ? ["–", "Left unchanged by design"] : verdictOf(agree);
  $("verdict").className = `verdict ${agree ? "agree" : leftAlone ? "by-design" : "differ"}`;
  fill(
    $("verdict"),
    make("span", { "aria-hidden": "true" }, sign),
    make("p", {}, make("b", {}, verdict), difference, retryAdvice(unasked)),
  );
}

/** @param {Person} person */
function drawChoice({ chosen = "" }) {
  show($("replace"), chosen !== "");
  say($("sharepoint-caption"), chosen ? "a picture that a person chose" : "what people see now");
}

/** @param {boolean | null} agree */
function verdictOf(agree) {
  if (agree) return ["✓", "Both sides agree"];
  return agree === null ? ["?", "The two sides were not compared"] : ["≠", "The two sides differ"];
}

/**
 * How long to wait before a side that could not be read may be asked again.
 *
 * @param {Unasked[]} unasked
 */
function retryAdvice(unasked) {
  const seconds = Math.max(...unasked.map((side) => side.retryAfter ?? 0), 0);
  return seconds ? ` Try again in ${count(Math.ceil(seconds), "second", "seconds")}.` : "";
}

/** @param {AbortSignal} signal */
export function drawPhotos(signal) {
  const name = $("person-title").textContent;
  /** @type {[Side, string][]} */
  const sides = [["exchange", `Photo of ${name} in Exchange`], ["sharepoint", `Picture of ${name} in SharePoint`]];
  for (const [side, alt] of sides) {
    loadInto($(`${side}-photo`), shownUser(), side, alt, signal, side === "sharepoint" ? shown?.chosen : "");
  }
}
