// Connects buttons and forms to their actions, and refreshes the page regularly.

import { isSignedIn, onSignedOut } from "./call.js";
import { $, inside, say } from "./elements.js";
import { copyTicket } from "./card.js";
import { dismissFailure, dismissUnreadable } from "./dismissal.js";
import { start, signOut, acceptTypedKey } from "./signin.js";
import { confirmRelease, release, REMOVALS, REPAIRS, startAudit, startSweep } from "./orders.js";
import { freshness, isDue, refreshOverview } from "./overview.js";
import { confirmReplacement, replaceChosen, replay } from "./replay.js";
import { fillFilters, search, searchSoon } from "./search.js";
import { updateTimes } from "./time.js";
import { showView } from "./views.js";

fillFilters();
onSignedOut(signOut);

inside($("key-form"), "form").onsubmit = (event) => {
  event.preventDefault();
  acceptTypedKey();
};
$("forget").onclick = () => signOut();
$("refresh").onclick = () => {
  showView(false);
  refreshOverview();
};

$("find").onsubmit = (event) => {
  event.preventDefault();
  search();
};
$("search").oninput = searchSoon;
$("status").onchange = search;

$("start-sweep").onclick = startSweep;
$("start-audit").onclick = startAudit;
inside($("brake"), "button").onclick = () => confirmRelease(REMOVALS);
inside($("audit-brake"), "button").onclick = () => confirmRelease(REPAIRS);
$("release-no").onclick = () => $("release", HTMLDialogElement).close();
$("release-who").onclick = () => $("release", HTMLDialogElement).close();
$("release-yes").onclick = release;

$("replay").onclick = () => replay({ force: false });
$("copy-ticket").onclick = copyTicket;
$("failures").onclick = dismissFailure;
$("dismiss-unreadable").onclick = dismissUnreadable;
$("force").onclick = () => replay({ force: true });
$("replace").onclick = confirmReplacement;
$("replacing-no").onclick = () => $("replacing", HTMLDialogElement).close();
$("replacing-yes").onclick = replaceChosen;

addEventListener("hashchange", () => showView());
setInterval(() => {
  if (!isSignedIn() || document.hidden) return;
  updateTimes();
  say($("freshness"), freshness());
  if (isDue()) refreshOverview();
}, 2500);

start();
