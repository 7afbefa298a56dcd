// Dismissed lines leave the overview; the failures and messages themselves stay.

import { orderDismissal } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lastOverview, refreshOverview } from "./overview.js";

/**
 * Dismiss the failure whose button was pressed.
 *
 * @param {Event} event
 */
export function dismissFailure({ target }) {
  const { user, name } = target instanceof HTMLElement ? target.dataset : {};
  if (!user) return;
  dismiss({ users: [user] }, "failures-message", `${name} returns to this list after a failure for another reason.`);
}

/** Dismiss all messages up to the newest one shown: later ones have not been seen yet. */
export function dismissUnreadable() {
  const newest = lastOverview()?.unreadable.map(({ at }) => at).sort().pop() ?? "";
  return dismiss({ unreadableTo: newest }, "unreadable-message", "");
}

/**
 * @param {Parameters<typeof orderDismissal>[0]} order
 * @param {string} place
 * @param {string} done
 */
async function dismiss(order, place, done) {
  try {
    await orderDismissal(order);
    await refreshOverview();
    say($(place), done);
  } catch (error) {
    if (!needsNoMessage(error)) say($(place), messageOf(error), true);
  }
  returnFocus($("home-title"));
}
