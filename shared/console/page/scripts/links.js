// Links to addresses that people chose: a person may follow them, the page never loads them.

import { make } from "./elements.js";

/**
 * A link that sends no referrer; plain text if the address is not a web address.
 *
 * @param {string} address
 */
export function externalLink(address) {
  if (!isWeb(address)) return make("span", { className: "mono" }, address);
  return make("a", { href: address, target: "_blank", rel: "noreferrer noopener", className: "mono" }, address);
}

/** @param {string} address */
function isWeb(address) {
  try {
    const { protocol, username, password } = new URL(address);
    // The part before an @ can be mistaken for the host.
    return protocol === "https:" && !username && !password;
  } catch {
    return false;
  }
}
