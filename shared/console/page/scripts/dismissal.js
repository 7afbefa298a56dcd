// Lines that somebody has dealt with leave the overview; what is behind them stays.

import { orderDismissal } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lastOverview, lookAround } from "./overview.js";

/**
 * By the button of its line.
 *
 * @param {Event} press
 */
export function dismissFailure({ target }) {
  const { user, name } = target instanceof HTMLElement ? target.dataset : {};
  if (!user) return;
  dismiss({ users: [user] }, "failures-told", `${name} returns to this list after a failure for another reason.`);
}

/** All that are set aside up to the newest that is shown: nobody has seen what comes later. */
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
