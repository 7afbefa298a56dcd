// Addresses that people chose: for a person to follow, never for the page to load.

import { make } from "./elements.js";

/**
 * A link whose target is not told where it was followed from; mere text if it is not for a browser.
 *
 * @param {string} address
 */
export function outwards(address) {
  if (!isWeb(address)) return make("span", { className: "mono" }, address);
  return make("a", { href: address, target: "_blank", rel: "noreferrer noopener", className: "mono" }, address);
}

/** @param {string} address */
function isWeb(address) {
  try {
    const { protocol, username, password } = new URL(address);
    // What stands before an @ can pass for the host.
    return protocol === "https:" && !username && !password;
  } catch {
    return false;
  }
}
