// The card about the subscription to Microsoft Graph.

import { $, badge, fill, make } from "./elements.js";
import { moment, now } from "./time.js";

/** @import { Subscription } from "./api.js" */

/** @param {Subscription} subscription */
function ranOut({ expiresAt }) {
  return Date.parse(expiresAt) <= now();
}

/**
 * Whether Graph certainly sends no notifications.
 *
 * @param {Subscription | null} subscription
 */
export function isDown(subscription) {
  return !subscription || subscription.status === "failed" || ranOut(subscription);
}

/**
 * @param {Subscription | null} subscription
 * @param {boolean} halted Whether PhotoSync is being, or was, uninstalled.
 */
export function drawSubscription(subscription, halted) {
  if (!subscription) {
    const none = halted
      ? "The subscription was deleted when PhotoSync was uninstalled."
      : "There is no subscription yet. PhotoSync creates it when it first runs.";
    return fill($("subscription"), make("p", { className: "soft" }, none));
  }
  const { checkedAt, detail } = subscription;
  const current = " The health check asks Graph for the current state.";
  const seen = ["As of ", moment(checkedAt), ": ", ...expiry(subscription), current];
  fill(
    $("subscription"),
    make("p", {}, state(subscription)),
    make("p", { className: "act small" }, ...seen),
    detail && make("p", { className: "small soft" }, detail),
  );
}

/** @param {Subscription} subscription */
function state(subscription) {
  if (subscription.status === "live" && !ranOut(subscription)) return badge("ok", "Active");
  if (subscription.status === "waiting") return badge("waiting", "Renewal pending");
  return badge("wrong", "Not active");
}

/**
 * What the last check found; only an active subscription is promised a renewal.
 *
 * @param {Subscription} subscription
 */
function expiry(subscription) {
  const { status, expiresAt } = subscription;
  if (ranOut(subscription)) return ["it expired ", moment(expiresAt), "."];
  if (status !== "live") return ["the last attempt to renew it failed."];
  return ["it is renewed before it expires ", moment(expiresAt, "at an unknown time"), "."];
}
