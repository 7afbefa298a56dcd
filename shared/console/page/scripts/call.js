// Calls of our own API with the key, and the errors that come of them.

// Relative to the page's own address, whatever route prefix the host has.
const API = location.pathname.replace(/\/+$/, "") + "/";

let key = "";
/** @type {(why: string) => void} */
let whenRefused = () => {};

class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [code] The error's word.
   */
  constructor(status, message, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param {string} text */
export function useKey(text) {
  key = text;
}

export function hasKey() {
  return key !== "";
}

/**
 * What to do when the key is not accepted.
 *
 * @param {(why: string) => void} then
 */
export function onRefusedKey(then) {
  whenRefused = then;
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body] An order; without one it is a question.
 */
export async function call(path, signal, body) {
  const used = key;
  const answer = await send(path, used, signal, body);
  if (answer.status === 401) {
    if (used === key) whenRefused("This key was not accepted. Copy it again, whole, and of this function app.");
    throw new Refused(401, "The key was not accepted.");
  }
  if (answer.ok) return answer;
  throw await refusalOf(answer);
}

/**
 * @param {string} path
 * @param {string} used
 * @param {AbortSignal} [signal]
 * @param {object} [body]
 */
async function send(path, used, signal, body) {
  /** @type {Record<string, string>} */
  const headers = { "x-functions-key": used };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(API + path, {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
      signal, cache: "no-store", redirect: "error", referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (wasLeft(error)) throw error;
    throw new Refused(0, "The function app does not answer. Is it running, and is the network there?");
  }
}

/** @param {Response} answer */
async function refusalOf(answer) {
  try {
    const { code, message } = (await answer.json()).error;
    return new Refused(answer.status, String(message), String(code));
  } catch {
    return new Refused(answer.status, `The function app answered with status ${answer.status}; its log says why.`);
  }
}

/** @param {unknown} error */
function wasLeft(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * Whether nobody waits for the answer any more, so that nothing is to be told.
 *
 * @param {unknown} error
 */
export function isOver(error) {
  return wasLeft(error) || (error instanceof Refused && error.status === 401);
}

/** @param {unknown} error */
export function isMissing(error) {
  return error instanceof Refused && error.status === 404 && !isKept(error);
}

/**
 * Whether there is a picture, which a person chose and which the app cannot show.
 *
 * @param {unknown} error
 */
export function isKept(error) {
  return error instanceof Refused && error.code === "picture-kept";
}

/** @param {unknown} error */
export function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
