// What is ordered from beside the list: a sweep, and the removals that the brake holds back.

import { orderRelease, orderSweep } from "./api.js";
import { isOver, wordsOf } from "./call.js";
import { $, inside, say } from "./elements.js";
import { returnFocus } from "./focus.js";
import { count } from "./numbers.js";
import { lastOverview, lookAround } from "./overview.js";
import { pause } from "./pause.js";
import { homeHash } from "./route.js";
import { GONE } from "./words.js";

export async function startSweep() {
  const button = $("start-sweep", HTMLButtonElement);
  const told = $("sweep-told");
  button.disabled = true;
  try {
    await orderSweep();
    say(told, "Queued; it begins in a moment.");
    const before = lastOverview()?.sweep?.id;
    for (let tries = 0; tries < 15 && lastOverview()?.sweep?.id === before; tries += 1) {
      await pause(1500);
      await lookAround();
    }
    say(told, "");
  } catch (error) {
    if (!isOver(error)) say(told, wordsOf(error), true);
  } finally {
    button.disabled = lastOverview()?.sweep?.status === "running";
    returnFocus(button.disabled ? $("home-title") : button);
  }
}

/** Say what it costs before anything is released. */
export function askBeforeRelease() {
  const { gone = 0, left = 0 } = lastOverview()?.brake ?? {};
  const lose = count(gone, "person loses the picture", "people lose their pictures");
  const forgotten = count(left, "person who left is", "people who left are");
  say(
    inside($("release"), "p"),
    (left && !gone ? "" : `${lose} in SharePoint, because Exchange has no photo of them any more. `)
      + (left ? `${forgotten} forgotten, and their pictures are taken out of SharePoint. ` : "")
      + "Each is looked at once more before that.",
  );
  $("release-who", HTMLAnchorElement).href = homeHash(left && !gone ? "left" : GONE, "");
  $("release", HTMLDialogElement).showModal();
}

export async function release() {
  $("release", HTMLDialogElement).close();
  try {
    const { released } = await orderRelease();
    say($("sweep-told"), `${count(released, "removal", "removals")} released.`);
  } catch (error) {
    if (!isOver(error)) return say(inside($("brake"), "span"), wordsOf(error));
  }
  await lookAround();
  // The button that opened the dialog is gone with its banner.
  returnFocus($("home-title"));
}
