// Connects buttons and forms to their actions, and refreshes the page regularly.

import { mayAsk, onShutOut } from "./call.js";
import { $, inside, say } from "./elements.js";
import { copyTicket } from "./card.js";
import { dismissFailure, dismissUnreadable } from "./dismissal.js";
import { begin, shutOut, takeTypedKey } from "./gate.js";
import { askBeforeRelease, release, REMOVALS, REPAIRS, startAudit, startSweep } from "./orders.js";
import { freshness, isDue, lookAround } from "./overview.js";
import { askBeforeReplacing, replaceChosen, replay } from "./replay.js";
import { offerFilters, search, searchSoon } from "./search.js";
import { retellTimes } from "./time.js";
import { go } from "./views.js";

offerFilters();
onShutOut(shutOut);

inside($("gate"), "form").onsubmit = (event) => {
  event.preventDefault();
  takeTypedKey();
};
$("forget").onclick = () => shutOut();
$("refresh").onclick = () => {
  go(false);
  lookAround();
};

$("find").onsubmit = (event) => {
  event.preventDefault();
  search();
};
$("search").oninput = searchSoon;
$("status").onchange = search;

$("start-sweep").onclick = startSweep;
$("start-audit").onclick = startAudit;
inside($("brake"), "button").onclick = () => askBeforeRelease(REMOVALS);
inside($("audit-brake"), "button").onclick = () => askBeforeRelease(REPAIRS);
$("release-no").onclick = () => $("release", HTMLDialogElement).close();
$("release-who").onclick = () => $("release", HTMLDialogElement).close();
$("release-yes").onclick = release;

$("replay").onclick = () => replay({ force: false });
$("copy-ticket").onclick = copyTicket;
$("failures").onclick = dismissFailure;
$("dismiss-unreadable").onclick = dismissUnreadable;
$("force").onclick = () => replay({ force: true });
$("replace").onclick = askBeforeReplacing;
$("replacing-no").onclick = () => $("replacing", HTMLDialogElement).close();
$("replacing-yes").onclick = replaceChosen;

addEventListener("hashchange", () => go());
setInterval(() => {
  if (!mayAsk() || document.hidden) return;
  retellTimes();
  say($("freshness"), freshness());
  if (isDue()) lookAround();
}, 2500);

begin();
