// Switches views when the address changes.

import { isSignedIn } from "./call.js";
import { openDoctor } from "./doctor.js";
import { $, show } from "./elements.js";
import { openHome } from "./people.js";
import { openLog } from "./log.js";
import { openPerson } from "./person.js";
import { forgetPhotos } from "./photos.js";
import { currentRoute, homeHash, changeRoute } from "./route.js";

const OPEN = { home: openHome, person: openPerson, log: openLog, doctor: openDoctor };

export function showView(moveFocus = true) {
  if (!isSignedIn()) return;
  forgetPhotos();
  const last = changeRoute();
  const { view, user } = currentRoute();
  for (const name of Object.keys(OPEN)) show($(name), name === view);
  for (const link of $("nav").querySelectorAll("a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = {
    home: "PhotoSync", log: "History · PhotoSync", doctor: "Health check · PhotoSync", person: `${user} · PhotoSync`,
  }[view];
  if (last.view === "home") $("back", HTMLAnchorElement).href = homeHash(last.status, last.search);
  OPEN[view]();
  // A person who types a search keeps the focus.
  if (moveFocus && !(view === "home" && last.view === "home")) {
    scrollTo(0, 0);
    focusTitle();
  }
}

export function focusTitle() {
  $(`${currentRoute().view}-title`).focus();
}
