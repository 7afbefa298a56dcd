// The health check: every finding, what to do about it, and the one that a button fixes.

import { orderRenewal, readCheckUp } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, badge, fill, make, say, show } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lastOverview, refreshOverview } from "./overview.js";
import { pause } from "./pause.js";
import { orderButtons } from "./rights.js";
import { viewSignal } from "./route.js";

/** @import { Check } from "./api.js" */
/** @typedef {"ok" | "unseen" | "wrong"} Kind */

const WORDS = { ok: "OK", unseen: "Not checked", wrong: "Failed" };

export async function openDoctor() {
  show($("checks"), false);
  say($("doctor-message"), "Checking settings, storage, tokens, Graph and SharePoint. This takes a few seconds …");
  try {
    const { ok, checks } = await readCheckUp(viewSignal());
    say($("doctor-message"), ok ? "No problems found." : inShort(checks));
    fill($("checks"), ...["wrong", "unseen", "ok"].flatMap((kind) => ofKind(checks, kind).map(item)));
    show($("checks"), true);
  } catch (error) {
    if (!needsNoMessage(error)) say($("doctor-message"), messageOf(error), true);
  }
}

/** @param {Check[]} checks */
function inShort(checks) {
  const wrong = ofKind(checks, "wrong").length;
  const unseen = ofKind(checks, "unseen").length;
  const also = unseen ? `, ${unseen} could not run` : "";
  return `${wrong} of ${checks.length} checks failed${also}.`;
}

/**
 * @param {Check[]} checks
 * @param {string} kind
 */
function ofKind(checks, kind) {
  return checks.filter((check) => kindOf(check) === kind);
}

/**
 * @param {Check} check
 * @returns {Kind}
 */
function kindOf({ ok, looked }) {
  if (ok) return "ok";
  return looked === false ? "unseen" : "wrong";
}

/** @param {Check} check */
function item(check) {
  const kind = kindOf(check);
  return make("li", {}, make("span", {}, badge(kind, WORDS[kind])), make("div", {},
    make("b", {}, check.name),
    make("p", { className: "soft" }, check.detail),
    check.action && make("p", { className: kind === "wrong" ? "todo" : "soft" }, check.action),
    ...(kind === "wrong" && check.name === "subscription" ? renewal() : [])));
}

/** A button that renews the subscription and then runs the health check again. */
function renewal() {
  const signal = viewSignal();
  const message = make("p", { className: "message small", role: "status" });
  const button = make("button", { type: "button" }, "Renew the subscription now");
  button.onclick = async () => {
    button.disabled = true;
    try {
      await renew(message, signal);
    } catch (error) {
      if (needsNoMessage(error)) return;
      say(message, messageOf(error), true);
      button.disabled = false;
      returnFocus(button);
    }
  };
  return [make("div", { className: "act" }, orderButtons(button)), message];
}

/**
 * @param {HTMLElement} message
 * @param {AbortSignal} signal
 */
async function renew(message, signal) {
  const before = lastOverview()?.subscription?.checkedAt;
  await orderRenewal(signal);
  say(message, "Queued. The health check runs again after the renewal …");
  for (let tries = 0; tries < 15 && lastOverview()?.subscription?.checkedAt === before; tries += 1) {
    await pause(1500, signal);
    await refreshOverview();
  }
  await openDoctor();
  returnFocus($("doctor-title"));
}
