// The line of a person whom PhotoSync has not checked yet, with a button that copies the photo now.

import { orderReplay, readState } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { make, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { lookAround } from "./overview.js";
import { pause } from "./pause.js";
import { ordersIn } from "./rights.js";

/** @import { Entry, State } from "./api.js" */

/**
 * @param {Entry} entry
 * @param {AbortSignal} signal
 * @param {(entry: Entry) => void} show Shows the result in place of this line.
 */
export function newcomer(entry, signal, show) {
  const told = make("p", { className: "told", role: "status" });
  const button = make("button", { type: "button" }, "Copy now");
  button.onclick = async () => {
    button.disabled = true;
    try {
      const state = await copy(entry.userId, told, signal);
      if (state) return show(asListed(entry, state));
      say(told, "It has not been processed yet. The message stays queued. Check again later with Refresh.");
    } catch (error) {
      if (isOver(error)) return;
      say(told, wordsOf(error), true);
    }
    button.disabled = false;
    returnFocus(button);
  };
  return [make("p", {}, "PhotoSync has not checked this person yet."), ordersIn(button), told];
}

/**
 * The state after the run; null if no run ends in time.
 *
 * @param {string} user
 * @param {HTMLElement} told
 * @param {AbortSignal} signal
 */
async function copy(user, told, signal) {
  say(told, "Queueing …");
  await orderReplay(user, { force: false }, signal);
  say(told, "Queued. Waiting for PhotoSync to process it …");
  for (let tries = 0; tries < 30; tries += 1) {
    await pause(Math.min(1000 + 400 * tries, 5000), signal);
    const { state } = await readState(user, signal);
    if (!state || state.claim) continue;
    lookAround();
    return state;
  }
  return null;
}

/**
 * @param {Entry} entry
 * @param {State} state
 * @returns {Entry}
 */
function asListed(entry, { status, detail, damage, checkedAt, syncedAt }) {
  return { ...entry, status, detail, damage, checkedAt: checkedAt ?? "", syncedAt: syncedAt ?? "" };
}
