// What PhotoSync and the SharePoint profile store about a person, as names and values.

import { $, fill, make, show } from "./elements.js";
import { decoded } from "./route.js";
import { moment } from "./time.js";
import { statusName } from "./words.js";

/** @import { Child } from "./elements.js" */
/** @import { Profile, State } from "./api.js" */
/** @typedef {[Child, Child]} Fact */

// SharePoint counts seconds from the year 1.
const YEAR_1 = 62135596800;

/**
 * @param {string} id
 * @param {(Fact | "" | null | undefined)[]} pairs
 */
function drawFacts(id, pairs) {
  fill($(id), ...pairs.flatMap((pair) => pair ? [make("dt", {}, pair[0]), make("dd", {}, pair[1])] : []));
}

/** @param {string} text */
function mono(text) {
  return make("span", { className: "mono" }, text);
}

/** @param {State | null} state */
export function drawState(state) {
  show(inDetails("known-more"), Boolean(state));
  if (!state) return drawFacts("known", [["State", "None yet: PhotoSync has not checked this person."]]);
  const { detail, lastError, syncedAt, checkedAt, nextAttemptAt, claim } = state;
  const { damage, missingSince, leftSince, outOfScopeSince } = state;
  drawFacts("known", [
    ["Status", statusName(state.status)],
    detail && ["Details", detail],
    lastError && ["Last error", errorOf(lastError, detail)],
    damage && ["Audit", damage],
    ["Synced", moment(syncedAt)],
    ["Checked", moment(checkedAt)],
    nextAttemptAt && ["Next try", make("span", {}, moment(nextAttemptAt), ` (attempt ${state.attempt + 1})`)],
    missingSince && ["Photo missing", moment(missingSince)],
    leftSince && ["Left", moment(leftSince)],
    outOfScopeSince && ["Out of scope", moment(outOfScopeSince)],
    claim && ["Being copied", make("span", {}, "until ", moment(claim.expiresAt), " at the latest")],
  ]);
  drawFacts("known-more", [
    ["Object id", mono(state.userId)],
    state.reason && ["Reason", mono(state.reason)],
    state.sizes && ["Sizes", `${state.sizes.replaceAll(",", ", ")} pixels`],
    state.sha256 && ["Photo’s SHA-256", mono(state.sha256)],
    state.sourceEtag && ["Photo’s etag", mono(state.sourceEtag)],
  ]);
}

/**
 * @param {NonNullable<State["lastError"]>} error
 * @param {string} detail The sentence that is already shown.
 */
function errorOf({ code, message, at }, detail) {
  return make("span", {}, message !== detail && `${message} `, make("code", {}, code), " ", moment(at));
}

/**
 * @param {Profile | null} profile
 * @param {string} without The text to show if there is none.
 */
export function drawProfile(profile, without) {
  drawFacts("profile", profile ? ofProfile(profile) : [["Profile", without]]);
  const properties = Object.entries(profile ?? {});
  drawFacts("profile-more", properties.map(([name, value]) => [mono(name), mono(value || "(empty)")]));
  show(inDetails("profile-more"), Boolean(profile));
}

/**
 * @param {Profile} profile
 * @returns {Fact[]}
 */
function ofProfile(profile) {
  const url = profile.PictureURL ?? "";
  const path = url.split(/[?#]/)[0] ?? "";
  const placeholder = !url || (profile["SPS-PicturePlaceholderState"] ?? "0") !== "0";
  const timestamp = profile["SPS-PictureTimestamp"];
  const never = timestamp ? "unknown: its timestamp cannot be read" : "never, according to its timestamp";
  return [
    ["Picture", url ? decoded(path.split("/").pop() ?? "") || url : "none"],
    ["Shown", placeholder ? "a placeholder" : "the picture"],
    ["Changed", moment(readTimestamp(timestamp), never)],
  ];
}

/** @param {string | undefined} timestamp */
function readTimestamp(timestamp) {
  const seconds = Number(timestamp || 0) - YEAR_1;
  return seconds > 9e8 && seconds < 9e9 ? new Date(seconds * 1000).toISOString() : "";
}

/**
 * The `details` element around the list.
 *
 * @param {string} id
 */
function inDetails(id) {
  const details = $(id).parentElement;
  if (!details) throw new TypeError(`#${id} has no parent element.`);
  return details;
}
