// Dismissed lines leave the overview; the failures and messages themselves stay.

import { orderDismissal } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lastOverview, lookAround } from "./overview.js";

/**
 * Dismiss the failure whose button was pressed.
 *
 * @param {Event} press
 */
export function dismissFailure({ target }) {
  const { user, name } = target instanceof HTMLElement ? target.dataset : {};
  if (!user) return;
  dismiss({ users: [user] }, "failures-told", `${name} returns to this list after a failure for another reason.`);
}

/** Dismiss all messages up to the newest that is shown: nobody has seen later ones. */
export function dismissUnreadable() {
  const newest = lastOverview()?.unreadable.map(({ at }) => at).sort().pop() ?? "";
  return dismiss({ unreadableTo: newest }, "unreadable-told", "");
}

/**
 * @param {Parameters<typeof orderDismissal>[0]} order
 * @param {string} place
 * @param {string} done
 */
async function dismiss(order, place, done) {
  try {
    await orderDismissal(order);
    await lookAround();
    say($(place), done);
  } catch (error) {
    if (!isOver(error)) say($(place), wordsOf(error), true);
  }
  returnFocus($("home-title"));
}
