// The page's only ways to show data: text nodes and plain properties, never markup.

/** @typedef {Node | string | false | null | undefined} Child Values that are neither a node nor text are skipped. */

/**
 * The element of the markup that has this id.
 *
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function $(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof (kind ?? HTMLElement))) throw new TypeError(`The markup has no such #${id}.`);
  return /** @type {Kind} */ (element);
}

/**
 * The first element with this tag inside another element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {ParentNode} place
 * @param {Tag} tag
 */
export function inside(place, tag) {
  const element = place.querySelector(tag);
  if (!element) throw new TypeError(`There is no <${tag}> where the markup should have one.`);
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...Child} children
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) Object.assign(element, { [name]: value });
    else element.setAttribute(name, String(value));
  }
  fill(element, ...children);
  return element;
}

/**
 * Replace all children of an element.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flatMap((child) => child || []));
}

/**
 * Set a text only when it changes, so that a screen reader does not read it twice.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text, bad = false) {
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle("bad", bad);
}

/**
 * @param {HTMLElement} element
 * @param {boolean} visible
 */
export function show(element, visible) {
  element.hidden = !visible;
}

/**
 * @param {string} kind
 * @param {string} word
 */
export function badge(kind, word) {
  return make("span", { className: `badge ${kind}` }, word);
}
