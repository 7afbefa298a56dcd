// What an admin must know first: a dry run, removals held back, no notifications, or an uninstall.

import { $, inside, say, show } from "./elements.js";
import { count } from "./numbers.js";
import { isDown } from "./subscription.js";
import { isHalted, whyHalted } from "./uninstall.js";

/** @import { Brake, Overview, RepairBrake, Subscription } from "./api.js" */

/** @param {Overview} overview */
export function drawBanners({ dryRun, brake, repairBrake, subscription, uninstall }) {
  const halted = isHalted(uninstall);
  show($("halted"), halted);
  if (uninstall && halted) say(inside($("halted"), "span"), whyHalted(uninstall));
  show($("dry-run"), dryRun);
  show($("brake"), brake.engaged);
  if (brake.engaged) say(inside($("brake"), "span"), brake.detail || heldBack(brake));
  const held = isHeld(repairBrake);
  show($("audit-brake"), held);
  if (held) say(inside($("audit-brake"), "span"), repairBrake.detail);
  show($("no-notifications"), !halted && isDown(subscription));
  say(inside($("no-notifications"), "span"), whyNoNotifications(subscription));
}

/** @param {RepairBrake} brake */
export function isHeld({ engaged, released }) {
  return engaged && !released;
}

/** @param {Brake} brake */
function heldBack({ gone, left, managed }) {
  if (!gone) {
    const leavers = count(left, "person", "people");
    return `The last sweep found ${leavers} who left and are due to be forgotten. That many need approval.`;
  }
  const found = `${count(gone, "picture", "pictures")} of ${managed.toLocaleString("en")}`;
  return `The last sweep found ${found} to remove. That many need approval.`;
}

/** @param {Subscription | null} subscription */
function whyNoNotifications(subscription) {
  if (!subscription) return "There is no subscription yet.";
  return subscription.detail || "The subscription expired.";
}
