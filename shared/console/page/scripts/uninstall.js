// Whether PhotoSync is stopped because it is being, or was, uninstalled.

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
  const still = left ? `. It still has to process ${count(left, "user", "users")}` : "";
  return `It is being uninstalled and copies nothing${still}. ${end}`;
}
