// Whether PhotoSync stands still because it is, or is being, taken back.

import { count } from "./numbers.js";

/** @import { Uninstall } from "./api.js" */

/** @param {Uninstall | null} uninstall */
export function isHalted(uninstall) {
  return Boolean(uninstall) && uninstall?.status !== "cancelled";
}

/** @param {Uninstall} uninstall */
export function whyHalted({ status, left }) {
  const end = "“manage.py uninstall --cancel” starts it again.";
  if (status !== "running") return `It is uninstalled and copies nothing. ${end}`;
  const still = left ? `; ${count(left, "user is", "users are")} still to be worked off` : "";
  return `It is being uninstalled and copies nothing${still}. ${end}`;
}
