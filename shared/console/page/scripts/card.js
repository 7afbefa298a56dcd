// The card of a person in plain words, the main button, and the text for a ticket.

import { $, fill, make, say, show } from "./elements.js";
import { homeHash } from "./route.js";
import { GONE } from "./words.js";

/** @import { Card } from "./api.js" */

/** Where a button that orders nothing leads. */
const TARGETS = { doctor: "#/doctor", removals: homeHash(GONE, ""), leavers: homeHash("left", "") };

let ticket = "";

/** @param {Card} card */
export function drawCard(card) {
  fill(
    $("plain-words"),
    make("p", { className: "seen" }, card.seen),
    card.why && make("p", {}, card.why),
    card.next && make("p", {}, card.next),
  );
  drawButtons(card);
  ticket = card.ticket;
  show($("ticket"), false);
}

/** @param {Card} card */
function drawButtons({ action, label }) {
  const isReplay = action === "replay";
  say($("replay"), isReplay ? label : "Replay");
  $("replay").classList.toggle("main", isReplay);
  const leads = action !== "" && !isReplay;
  show($("next-step"), leads);
  if (!leads) return;
  say($("next-step"), label);
  $("next-step", HTMLAnchorElement).href = TARGETS[action];
}

/** Copy the text to the clipboard; if the browser refuses, show it for copying by hand. */
export async function copyTicket() {
  try {
    await navigator.clipboard.writeText(ticket);
    say($("replay-message"), "Copied.");
  } catch {
    const text = $("ticket", HTMLTextAreaElement);
    text.value = ticket;
    show(text, true);
    text.select();
    say($("replay-message"), "The browser blocked the copy. Select and copy the text below.");
  }
}
