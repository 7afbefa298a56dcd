// How it stands at a glance: the headline, a sentence below it, and a tile for each status.

import { $, fill, make, say, show } from "./elements.js";
import { count, people, sum } from "./numbers.js";
import { homeHash } from "./route.js";
import { isHalted } from "./uninstall.js";
import { DIFFERS, FILTERS, STATUSES } from "./words.js";

/** @import { Overview } from "./api.js" */

/** @param {Overview} overview */
export function drawHeadline(overview) {
  const { counts } = overview;
  say($("home-title"), headline(overview));
  const total = sum(counts);
  say($("summary"), total
    ? `PhotoSync knows ${people(total)}, and has copied the photo of ${people(counts.synced ?? 0)}. `
      + "A sweep compares Exchange with what was copied; an audit, or a replay, looks into SharePoint."
    : nobody(overview));
}

/**
 * Whom groups let in and leave out; without a group nothing is said.
 *
 * @param {Overview["groups"]} groups
 */
export function drawScope(groups) {
  const { SYNC_GROUP_ID: only, EXCLUDED_GROUP_ID: but } = groups;
  const told = [
    only ? `Only members of the group ${only} (SYNC_GROUP_ID) are looked after.` : "",
    but ? `Members of the group ${but} (EXCLUDED_GROUP_ID) are left alone.` : "",
  ].join(" ").trim();
  say($("scope"), told && `${told} The check-up tells the names of groups.`);
  show($("scope"), told !== "");
}

/** @param {Overview} overview */
function nobody({ uninstall }) {
  return isHalted(uninstall)
    ? "PhotoSync has forgotten everybody."
    : "Start a sweep: it finds everybody.";
}

/** @param {Overview} overview */
function headline({ counts, brake, audit, differ, queues }) {
  const onTheWay = Math.max(queues["photo-sync"] ?? 0, counts.waiting ?? 0);
  if (counts.failed) return `${count(counts.failed, "copy", "copies")} failed`;
  if (brake.engaged) return "Removals wait for a decision";
  if (audit?.repairs === "braked") return "Repairs wait for a decision";
  if (differ) return `${count(differ, "picture differs", "pictures differ")} in SharePoint`;
  if (onTheWay) return `${count(onTheWay, "person is", "people are")} in the queue`;
  return sum(counts) ? "Nobody’s copy failed" : "Nobody is known";
}

/**
 * @param {Overview["counts"]} counts
 * @param {number} differ
 * @param {string} chosen The status that the list is narrowed to.
 * @param {string} search
 */
export function drawTiles(counts, differ, chosen, search) {
  const focused = document.activeElement?.getAttribute("data-status");
  fill(
    $("tiles"),
    tile("", "All", sum(counts), chosen, search),
    ...Object.entries(STATUSES).map(([status, name]) => tile(status, name, counts[status] ?? 0, chosen, search)),
    tile(DIFFERS, FILTERS[DIFFERS] ?? "", differ, chosen, search),
  );
  if (focused == null) return;
  const again = $("tiles").querySelector(`[data-status="${CSS.escape(focused)}"]`);
  if (again instanceof HTMLElement) again.focus();
}

/**
 * @param {string} status
 * @param {string} name
 * @param {number} number
 * @param {string} chosen
 * @param {string} search
 */
function tile(status, name, number, chosen, search) {
  const properties = {
    className: `tile ${status} ${number ? "some" : ""}`,
    href: homeHash(status, search),
    "data-status": status,
    "aria-current": String(status === chosen),
  };
  return make("a", properties, make("b", {}, number.toLocaleString("en")), make("span", {}, name));
}
