// The card about the notifications of Microsoft Graph.

import { $, badge, fill, make } from "./elements.js";
import { moment, now } from "./time.js";

/** @import { Subscription } from "./api.js" */

/** @param {Subscription} subscription */
function ranOut({ expiresAt }) {
  return Date.parse(expiresAt) <= now();
}

/**
 * Whether Graph tells us of no change for certain.
 *
 * @param {Subscription | null} subscription
 */
export function isLost(subscription) {
  return !subscription || subscription.status === "failed" || ranOut(subscription);
}

/**
 * @param {Subscription | null} subscription
 * @param {boolean} halted Whether it was taken back with PhotoSync.
 */
export function drawSubscription(subscription, halted) {
  if (!subscription) {
    const none = halted
      ? "The subscription was taken back with PhotoSync."
      : "There is no subscription yet; it is made when PhotoSync first runs.";
    return fill($("subscription"), make("p", { className: "soft" }, none));
  }
  const { checkedAt, detail } = subscription;
  const seen = ["As of ", moment(checkedAt), ": ", ...expiry(subscription), " The check-up asks Graph."];
  fill(
    $("subscription"),
    make("p", {}, state(subscription)),
    make("p", { className: "act small" }, ...seen),
    detail && make("p", { className: "small soft" }, detail),
  );
}

/** @param {Subscription} subscription */
function state(subscription) {
  if (subscription.status === "live" && !ranOut(subscription)) return badge("ok", "Told of changes");
  if (subscription.status === "waiting") return badge("waiting", "Being looked after");
  return badge("wrong", "Not told of changes");
}

/**
 * What was seen then, and only of a live one that it will go on.
 *
 * @param {Subscription} subscription
 */
function expiry(subscription) {
  const { status, expiresAt } = subscription;
  if (ranOut(subscription)) return ["it ran out ", moment(expiresAt), "."];
  if (status !== "live") return ["the last try to look after it did not succeed."];
  return ["it is renewed before it runs out ", moment(expiresAt, "at an unknown time"), "."];
}
