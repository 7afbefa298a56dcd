// The summary: the headline, a sentence below it, and a tile for each status.

import { isHeld } from "./banners.js";
import { $, fill, make, say, show } from "./elements.js";
import { count, people, sum } from "./numbers.js";
import { homeHash } from "./route.js";
import { moment, now } from "./time.js";
import { isHalted } from "./uninstall.js";
import { DIFFERS, FILTERS, STATUSES } from "./words.js";

/** @import { Overview } from "./api.js" */

/** Counts older than this, in milliseconds, may differ from the list. */
export const OLD = 30000;

/** @param {Overview} overview */
export function drawHeadline(overview) {
  const { counts } = overview;
  say($("home-title"), headline(overview));
  const total = sum(counts);
  say($("summary"), total
    ? `PhotoSync knows ${people(total)} and has copied the photos of ${(counts.synced ?? 0).toLocaleString("en")}. `
      + "A sweep compares Exchange with what was copied. An audit or a replay also checks SharePoint."
    : emptySummary(overview));
}

/**
 * The groups that limit the scope; nothing is shown without one.
 *
 * @param {Overview["groups"]} groups
 */
export function drawScope(groups) {
  const { SYNC_GROUP_ID: only, EXCLUDED_GROUP_ID: but } = groups;
  const text = [
    only ? `Only members of the group ${only} (SYNC_GROUP_ID) are synced.` : "",
    but ? `Members of the group ${but} (EXCLUDED_GROUP_ID) are not synced.` : "",
  ].join(" ").trim();
  say($("scope"), text && `${text} The health check shows the names of groups.`);
  show($("scope"), text !== "");
}

/** @param {Overview} overview */
export function drawVersion({ version, packedAt }) {
  fill($("version"), `PhotoSync ${version}`, ...(packedAt ? [", packaged ", moment(packedAt)] : []));
}

/** @param {Overview} overview */
function emptySummary({ uninstall }) {
  return isHalted(uninstall)
    ? "PhotoSync has forgotten all people."
    : "Start a sweep to find everybody.";
}

/** @param {Overview} overview */
function headline({ counts, dismissed, brake, repairBrake, differ, queues }) {
  const onTheWay = Math.max(queues["photo-sync"] ?? 0, counts.waiting ?? 0);
  const failed = (counts.failed ?? 0) - dismissed;
  if (failed > 0) return `${count(failed, "copy", "copies")} failed`;
  if (brake.engaged) return "Removals need a decision";
  if (isHeld(repairBrake)) return "Repairs need a decision";
  if (differ) return `${count(differ, "picture differs", "pictures differ")} in SharePoint`;
  if (onTheWay) return `${count(onTheWay, "person is", "people are")} in the queue`;
  if (dismissed) return "No failures except dismissed ones";
  return sum(counts) ? "No failures" : "No people yet";
}

/**
 * Why numbers that are shown together differ; nothing is shown if they are the same.
 *
 * @param {Overview} overview
 */
export function drawCounts({ counts, countedAt, differ, sweep }) {
  const isOld = Date.parse(countedAt) < now() - OLD;
  const swept = sweep?.status === "finished" && sweep.users !== sum(counts);
  fill(
    $("counts"),
    ...(isOld ? ["The tiles were counted ", moment(countedAt), ". The list is up to date. "] : []),
    differ > 0 && "“SharePoint differs” counts people who are also on another tile. ",
    swept && `The last sweep found ${people(sweep.users)} in Microsoft 365. The tiles count everybody whom PhotoSync `
      + "has checked, including people who have left since.",
  );
  show($("counts"), $("counts").textContent !== "");
}

/**
 * @param {Overview["counts"]} counts
 * @param {number} differ
 * @param {string} chosen The status by which the list is filtered.
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
