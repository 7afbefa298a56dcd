// The overview: read regularly, kept, and shown around the list of people.

import { readOverview } from "./api.js";
import { drawAudit } from "./audit.js";
import { drawBanners } from "./banners.js";
import { isSignedIn, needsNoMessage, messageOf } from "./call.js";
import { $, say, show } from "./elements.js";
import { drawFailures, drawQueues, drawUnreadable } from "./lists.js";
import { currentRoute } from "./route.js";
import { drawSubscription } from "./subscription.js";
import { drawCounts, drawHeadline, drawScope, drawTiles, drawVersion, OLD } from "./summary.js";
import { drawFill, drawSweep } from "./sweep.js";
import { relativeTime, now, updateTimes, setClock } from "./time.js";
import { isHalted } from "./uninstall.js";

/** @import { Overview } from "./api.js" */

/** @type {Overview | null} */
let overview = null;
let readAt = 0;
/** @type {Promise<void> | null} */
let refreshing = null;
/** @type {Map<string, string>} */
const drawn = new Map();

/** The overview as last read; null before the first read. */
export function lastOverview() {
  return overview;
}

export function forgetOverview() {
  overview = null;
  drawn.clear();
}

export function refreshOverview() {
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refresh() {
  try {
    const read = await readOverview();
    // The key may have been forgotten meanwhile.
    if (!isSignedIn()) return;
    overview = read;
    setClock(overview.asOf);
    readAt = now();
    show($("trouble"), false);
    drawOverview();
  } catch (error) {
    if (needsNoMessage(error)) return;
    say($("trouble"), messageOf(error));
    show($("trouble"), true);
  }
}

/**
 * Rebuild a part only when its data has changed, so that focus and scroll position stay.
 *
 * @param {string} name
 * @param {unknown} data
 * @param {() => void} draw
 */
function redraw(name, data, draw) {
  const text = JSON.stringify(data);
  if (drawn.get(name) === text) return;
  drawn.set(name, text);
  draw();
}

export function drawOverview() {
  if (!overview) return;
  const {
    counts, dismissed, differ, groups, sweep, fill, audit, subscription, brake, repairBrake, failures, unreadable,
    unreadableCount, queues,
  } = overview;
  const halted = isHalted(overview.uninstall);
  const whole = overview;
  const { status, search } = currentRoute();
  drawBanners(overview);
  redraw("headline", [counts, dismissed, brake, repairBrake, differ, queues, halted], () => drawHeadline(whole));
  redraw("scope", groups, () => drawScope(groups));
  redraw("tiles", [counts, differ, status], () => drawTiles(counts, differ, status, search));
  redraw("counts", [counts, overview.countedAt, differ, sweep], () => drawCounts(whole));
  redraw("sweep", sweep, () => drawSweep(sweep));
  redraw("fill", fill, () => drawFill(fill));
  redraw("audit", audit, () => drawAudit(audit));
  redraw("subscription", [subscription, halted], () => drawSubscription(subscription, halted));
  redraw("queues", queues, () => drawQueues(queues));
  redraw("version", [whole.version, whole.packedAt], () => drawVersion(whole));
  const failed = counts.failed ?? 0;
  redraw("failures", [failures, failed, dismissed], () => drawFailures(failures, failed, dismissed));
  redraw("unreadable", [unreadable, unreadableCount], () => drawUnreadable(unreadable, unreadableCount));
  updateTimes();
}

/** Counting a large tenant takes so long that the app returns earlier counts. */
export function freshness() {
  if (!overview) return "";
  const old = Date.parse(overview.countedAt) < readAt - OLD;
  const counted = old ? `, counted ${relativeTime(overview.countedAt)}` : "";
  return `Updated ${relativeTime(new Date(readAt).toISOString())}${counted}`;
}

/** Counting a large tenant loads the storage, so refresh rarely unless work is in progress. */
export function isDue() {
  const works = overview?.sweep?.status === "running" || isUnpaced(overview?.audit);
  const pace = works ? 5000 : 30000;
  return now() - readAt >= pace;
}

/** @param {Overview["audit"] | undefined} audit */
function isUnpaced(audit) {
  return audit?.status === "running" && audit.everybody;
}
