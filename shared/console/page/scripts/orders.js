// The orders beside the list: a sweep, an audit, and the release of what the brakes hold back.

import { orderAudit, orderRelease, orderRepairs, orderSweep } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, inside, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { count } from "./numbers.js";
import { lastOverview, refreshOverview } from "./overview.js";
import { pause } from "./pause.js";
import { homeHash } from "./route.js";
import { DIFFERS, GONE } from "./words.js";

/** @import { Overview } from "./api.js" */

export async function startSweep() {
  const button = $("start-sweep", HTMLButtonElement);
  const message = $("sweep-message");
  button.disabled = true;
  try {
    await orderSweep();
    say(message, "Queued. It starts in a moment.");
    const before = lastOverview()?.sweep?.id;
    for (let tries = 0; tries < 15 && lastOverview()?.sweep?.id === before; tries += 1) {
      await pause(1500);
      await refreshOverview();
    }
    say(message, "");
  } catch (error) {
    if (!needsNoMessage(error)) say(message, messageOf(error), true);
  } finally {
    button.disabled = lastOverview()?.sweep?.status === "running";
    returnFocus(button.disabled ? $("home-title") : button);
  }
}

export async function startAudit() {
  const button = $("start-audit", HTMLButtonElement);
  const message = $("audit-message");
  button.disabled = true;
  try {
    await orderAudit(!lastOverview()?.dryRun);
    await refreshOverview();
    say(message, "");
  } catch (error) {
    if (!needsNoMessage(error)) say(message, messageOf(error), true);
    button.disabled = false;
  } finally {
    returnFocus(button.disabled ? $("home-title") : button);
  }
}

/**
 * @typedef {object} Held What a brake holds back.
 * @property {string} title
 * @property {(overview: Overview | null) => string} cost
 * @property {(overview: Overview | null) => string} who The filter that lists the people affected.
 * @property {string} banner
 * @property {() => Promise<{ released: number }>} order
 * @property {string} message
 * @property {string} one
 * @property {string} many
 */

/** @type {Held} */
export const REMOVALS = {
  title: "Release the removals?",
  cost: (overview) => {
    const { gone = 0, left = 0 } = overview?.brake ?? {};
    const lose = count(gone, "person loses the picture", "people lose their pictures");
    const forgotten = count(left, "person who left is", "people who left are");
    return (left && !gone ? "" : `${lose} in SharePoint, because Exchange no longer has a photo of them. `)
      + (left ? `${forgotten} forgotten, and their pictures are removed from SharePoint. ` : "")
      + "PhotoSync checks each of them again first.";
  },
  who: (overview) => (overview?.brake.left && !overview.brake.gone ? "left" : GONE),
  banner: "brake",
  order: orderRelease,
  message: "sweep-message",
  one: "removal",
  many: "removals",
};

/** @type {Held} */
export const REPAIRS = {
  title: "Release the repairs?",
  cost: (overview) => {
    const written = count(overview?.repairBrake.differ ?? 0, "picture is written", "pictures are written");
    return `${written} again from Exchange. First make sure that whatever changed them has finished, such as `
      + "an import, a migration or another sync.";
  },
  who: () => DIFFERS,
  banner: "audit-brake",
  order: orderRepairs,
  message: "audit-message",
  one: "repair",
  many: "repairs",
};

/** What the open dialog is about. */
let asked = REMOVALS;

/**
 * Say what a release does before anything is released.
 *
 * @param {Held} held
 */
export function confirmRelease(held) {
  asked = held;
  say($("release-title"), held.title);
  say(inside($("release"), "p"), held.cost(lastOverview()));
  $("release-who", HTMLAnchorElement).href = homeHash(held.who(lastOverview()), "");
  $("release", HTMLDialogElement).showModal();
}

export async function release() {
  $("release", HTMLDialogElement).close();
  const { order, message, one, many, banner } = asked;
  try {
    const { released } = await order();
    say($(message), `${count(released, one, many)} released.`);
  } catch (error) {
    if (!needsNoMessage(error)) return say(inside($(banner), "span"), messageOf(error));
  }
  await refreshOverview();
  // The button that opened the dialog is gone with its banner.
  returnFocus($("home-title"));
}
