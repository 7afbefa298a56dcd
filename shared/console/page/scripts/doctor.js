// The health check: every finding, what to do about it, and the one that a button fixes.

import { orderRenewal, readCheckUp } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, badge, fill, make, say, show } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lastOverview, lookAround } from "./overview.js";
import { pause } from "./pause.js";
import { ordersIn } from "./rights.js";
import { whileHere } from "./route.js";

/** @import { Check } from "./api.js" */
/** @typedef {"ok" | "unseen" | "wrong"} Kind */

const WORDS = { ok: "OK", unseen: "Not checked", wrong: "Failed" };

export async function openDoctor() {
  show($("checks"), false);
  say($("doctor-told"), "Checking settings, storage, tokens, Graph and SharePoint. This takes a few seconds …");
  try {
    const { ok, checks } = await readCheckUp(whileHere());
    say($("doctor-told"), ok ? "No problems found." : inShort(checks));
    fill($("checks"), ...["wrong", "unseen", "ok"].flatMap((kind) => ofKind(checks, kind).map(item)));
    show($("checks"), true);
  } catch (error) {
    if (!isOver(error)) say($("doctor-told"), wordsOf(error), true);
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
  const signal = whileHere();
  const told = make("p", { className: "told small", role: "status" });
  const button = make("button", { type: "button" }, "Renew the subscription now");
  button.onclick = async () => {
    button.disabled = true;
    try {
      await renew(told, signal);
    } catch (error) {
      if (isOver(error)) return;
      say(told, wordsOf(error), true);
      button.disabled = false;
      returnFocus(button);
    }
  };
  return [make("div", { className: "act" }, ordersIn(button)), told];
}

/**
 * @param {HTMLElement} told
 * @param {AbortSignal} signal
 */
async function renew(told, signal) {
  const before = lastOverview()?.subscription?.checkedAt;
  await orderRenewal(signal);
  say(told, "Queued. The health check runs again after the renewal …");
  for (let tries = 0; tries < 15 && lastOverview()?.subscription?.checkedAt === before; tries += 1) {
    await pause(1500, signal);
    await lookAround();
  }
  await openDoctor();
  returnFocus($("doctor-title"));
}
