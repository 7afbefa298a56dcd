// Pictures, fetched with the key, a few at a time and only when they are in view.

import { readPhoto } from "./api.js";
import { isKeptPicture, isMissing, needsNoMessage, messageOf } from "./call.js";
import { fill, make } from "./elements.js";
import { externalLink } from "./links.js";

/** @import { Side } from "./api.js" */
/** @typedef {() => Promise<void>} Job */

const AT_ONCE = 4;
/** @type {Job[]} */
const wanted = [];
let loading = 0;

/** @type {WeakMap<Element, Job>} */
const jobs = new WeakMap();
const inView = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((each) => each.isIntersecting)) {
    inView.unobserve(target);
    const job = jobs.get(target);
    if (job) loadSoon(job);
  }
}, { rootMargin: "200px" });

/** @param {Job} job */
function loadSoon(job) {
  wanted.push(job);
  loadNext();
}

function loadNext() {
  while (loading < AT_ONCE) {
    const job = wanted.shift();
    if (!job) return;
    loading += 1;
    job().finally(() => {
      loading -= 1;
      loadNext();
    });
  }
}

/** Drop all pictures that have not started to load. */
export function forgetPhotos() {
  wanted.length = 0;
  inView.disconnect();
}

/**
 * @param {HTMLElement} frame
 * @param {string} label
 * @param {string} text What a small frame shows in place of the label.
 */
function showPlaceholder(frame, label, text) {
  frame.classList.remove("busy");
  frame.classList.add("none");
  frame.title = label;
  if (frame.classList.contains("large")) fill(frame, make("span", {}, label));
  else fill(frame, make("span", {}, text, make("span", { className: "visually-hidden" }, label)));
}

/**
 * Fill the frame of a picture that a person chose and that cannot be shown.
 *
 * @param {HTMLElement} frame
 * @param {string} address
 * @param {string} why
 */
function showChosenAddress(frame, address, why) {
  showPlaceholder(frame, why, "↗");
  if (address) fill(frame, make("span", {}, why, " It is at ", externalLink(address)));
}

/**
 * @param {HTMLElement} frame
 * @param {string} user
 * @param {Side} side
 * @param {string} alt
 * @param {AbortSignal} signal
 * @param {string} [chosen] The picture's address if a person chose it.
 */
async function load(frame, user, side, alt, signal, chosen = "") {
  if (signal.aborted) return;
  try {
    const url = URL.createObjectURL(await readPhoto(user, side, signal));
    const image = make("img", { alt, decoding: "async" });
    image.onload = () => URL.revokeObjectURL(url);
    image.onerror = () => {
      URL.revokeObjectURL(url);
      showPlaceholder(frame, "This picture cannot be shown", "?");
    };
    image.src = url;
    frame.classList.remove("busy", "none");
    frame.removeAttribute("title");
    fill(frame, image);
  } catch (error) {
    if (needsNoMessage(error)) return;
    const none = side === "exchange" ? "No photo in Exchange" : "No picture in SharePoint";
    if (isKeptPicture(error)) showChosenAddress(frame, chosen, messageOf(error));
    else if (isMissing(error)) showPlaceholder(frame, none, "");
    else showPlaceholder(frame, `Not loaded: ${messageOf(error)}`, "?");
  }
}

/**
 * Load a picture into *frame*, whether it is in view or not.
 *
 * @param {HTMLElement} frame
 * @param {string} user
 * @param {Side} side
 * @param {string} alt
 * @param {AbortSignal} signal
 * @param {string} [chosen] The picture's address if a person chose it.
 */
export function loadInto(frame, user, side, alt, signal, chosen) {
  frame.classList.add("busy");
  loadSoon(() => load(frame, user, side, alt, signal, chosen));
}

/**
 * A small frame that loads its picture once it is in view.
 *
 * @param {string} user
 * @param {Side} side
 * @param {AbortSignal} signal
 */
export function thumbnail(user, side, signal) {
  const frame = make("div", { className: "photo busy" });
  const alt = side === "exchange" ? "Photo in Exchange" : "Picture in SharePoint";
  jobs.set(frame, () => load(frame, user, side, alt, signal));
  inView.observe(frame);
  return frame;
}
