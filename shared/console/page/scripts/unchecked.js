// The line of a person whom PhotoSync has not checked yet, with a button that copies the photo now.

import { orderReplay, readState } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { make, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { refreshOverview } from "./overview.js";
import { pause } from "./pause.js";
import { orderButtons } from "./rights.js";

/** @import { Entry, State } from "./api.js" */

/**
 * @param {Entry} entry
 * @param {AbortSignal} signal
 * @param {(entry: Entry) => void} show Shows the result in place of this line.
 */
export function uncheckedCell(entry, signal, show) {
  const message = make("p", { className: "message", role: "status" });
  const button = make("button", { type: "button" }, "Copy now");
  button.onclick = async () => {
    button.disabled = true;
    try {
      const state = await copy(entry.userId, message, signal);
      if (state) return show(asListed(entry, state));
      say(message, "It has not been processed yet. The message stays queued. Check again later with Refresh.");
    } catch (error) {
      if (needsNoMessage(error)) return;
      say(message, messageOf(error), true);
    }
    button.disabled = false;
    returnFocus(button);
  };
  return [make("p", {}, "PhotoSync has not checked this person yet."), orderButtons(button), message];
}

/**
 * The state after the run; null if no run ends in time.
 *
 * @param {string} user
 * @param {HTMLElement} message
 * @param {AbortSignal} signal
 */
async function copy(user, message, signal) {
  say(message, "Queueing …");
  await orderReplay(user, { force: false }, signal);
  say(message, "Queued. Waiting for PhotoSync to process it …");
  for (let tries = 0; tries < 30; tries += 1) {
    await pause(Math.min(1000 + 400 * tries, 5000), signal);
    const { state } = await readState(user, signal);
    if (!state || state.claim) continue;
    refreshOverview();
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
