// A replay, from the order to its result.

import { orderReplay, readPerson } from "./api.js";
import { needsNoMessage, messageOf } from "./call.js";
import { $, fill, inside, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { externalLink } from "./links.js";
import { lastOverview, refreshOverview } from "./overview.js";
import { pause } from "./pause.js";
import { drawPerson, drawPhotos, enableReplays, shownPerson, shownUser } from "./person.js";
import { viewSignal } from "./route.js";
import { now } from "./time.js";
import { STATUSES } from "./words.js";

/** @import { Person, Replay } from "./api.js" */

/** @param {Replay} order */
export async function replay(order) {
  const before = shownPerson();
  if (!before) return;
  const signal = viewSignal();
  const user = shownUser();
  const pressed = document.activeElement;
  enableReplays(false);
  try {
    tell("Queueing …");
    await orderReplay(user, order, signal);
    tell("Queued. Waiting for PhotoSync to process it …");
    const done = await watch(user, fingerprint(before), signal);
    if (done) {
      drawPerson(done);
      drawPhotos(signal);
    }
    tell(...outcome(done, before));
    refreshOverview();
  } catch (error) {
    if (!needsNoMessage(error)) tell(messageOf(error), true);
  } finally {
    if (!signal.aborted) {
      enableReplays(true);
      returnFocus(pressed);
    }
  }
}

/** Say what is lost before the photo replaces the picture that a person chose. */
export function confirmReplacement() {
  const name = $("person-title").textContent;
  fill(
    inside($("replacing"), "p"),
    `SharePoint will show the photo of ${name} from Exchange. The profile will no longer refer to the chosen picture: `,
    externalLink(shownPerson()?.chosen ?? ""),
    ". PhotoSync cannot restore it. A picture that is chosen later is kept again.",
  );
  $("replacing", HTMLDialogElement).showModal();
}

export function replaceChosen() {
  $("replacing", HTMLDialogElement).close();
  return replay({ force: false, replace: true });
}

/** @param {string} text */
function tell(text, bad = false) {
  say($("replay-message"), text, bad);
}

/**
 * The part of the answer that every completed run changes.
 *
 * @param {Person} person
 */
function fingerprint({ state, history }) {
  return JSON.stringify([{ ...state, claim: undefined }, history[0] ?? null]);
}

/**
 * Poll until the state has changed, or the queue is empty without a change; null if neither happens.
 *
 * @param {string} user
 * @param {string} before
 * @param {AbortSignal} signal
 */
async function watch(user, before, signal) {
  let idle = 0;
  for (let tries = 0; tries < 30; tries += 1) {
    // Each poll compares the pictures themselves, so poll less and less often, for two minutes in all.
    await pause(Math.min(1000 + 400 * tries, 5000), signal);
    const person = await readPerson(user, signal);
    if (isBeingCopied(person)) {
      tell("Being copied right now …");
      continue;
    }
    if (fingerprint(person) !== before) return person;
    if (tries < 3) continue;
    await refreshOverview();
    idle = lastOverview()?.queues["photo-sync"] === 0 ? idle + 1 : 0;
    if (idle === 2) return person;
  }
  return null;
}

/** @param {Person} person */
function isBeingCopied({ state }) {
  return Boolean(state?.claim) && Date.parse(state?.claim?.expiresAt ?? "") > now();
}

/**
 * @param {Person | null} done
 * @param {Person} before
 * @returns {[words: string, bad: boolean]}
 */
function outcome(done, before) {
  if (!done) return ["It has not been processed yet. The message stays queued. Check again later with Refresh.", true];
  const { state, agree } = done;
  const synced = state?.status === "synced";
  const same = fingerprint(done) === fingerprint(before) || (synced && state.syncedAt === before.state?.syncedAt);
  if (same && agree === false && synced) {
    return ["PhotoSync wrote nothing, because the photo in Exchange has not changed since it was copied. The two sides "
      + "still differ. “Replay, even if unchanged” writes the photo again.", true];
  }
  if (same) return [`Done. Nothing had changed${state?.detail ? `: ${state.detail}` : "."}`, false];
  const words = [ended(state?.status ?? ""), state?.detail].filter(Boolean).join(" ");
  return [words, state?.status === "failed"];
}

/** @param {string} status */
function ended(status) {
  if (status === "synced") return "Done: synced.";
  if (status === "failed") return "It failed.";
  if (status === "waiting") return "It has to wait, and PhotoSync tries again automatically.";
  return `Done: ${STATUSES[status] ?? "checked"}.`;
}
