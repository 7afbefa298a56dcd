// Calls of our own API by key or by session, and the errors that come of them.

// Relative to the page's own address, whatever route prefix the host has.
const API = location.pathname.replace(/\/+$/, "") + "/";

/**
 * The headers that prove who asks; null before anything does.
 *
 * @type {Record<string, string> | null}
 */
let proof = null;
let session = false;
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

/** @param {string} key */
export function useKey(key) {
  proof = { "x-functions-key": key };
  session = false;
}

/** The browser sends the cookie by itself, also for a form of another page: but no such header. */
export function useSession() {
  proof = { "X-PhotoSync-Order": "1" };
  session = true;
}

export function useNothing() {
  proof = null;
}

export function mayAsk() {
  return proof !== null;
}

/**
 * What to do when the key is not accepted, or nobody is signed in any more.
 *
 * @param {(why: string) => void} then
 */
export function onShutOut(then) {
  whenRefused = then;
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body] An order; without one it is a question.
 */
export async function call(path, signal, body) {
  const used = proof;
  const answer = await send(path, signal, body);
  if (answer.ok) return answer;
  const refusal = await refusalOf(answer);
  const why = session ? whySignedOut(answer, refusal, body) : whyWrongKey(answer);
  if (!why) throw refusal;
  if (used === proof) whenRefused(why);
  throw new Refused(401, why);
}

/** @param {Response} answer */
function whyWrongKey({ status }) {
  return status === 401 ? "This key was not accepted. Copy the whole key again, from this function app." : "";
}

/**
 * Whether the session is over, or shows nobody anything. The platform answers a fetch without one
 * by 302, 401 or 403, and only our own answers say why.
 *
 * @param {Response} answer
 * @param {Refused} refusal
 * @param {object} [body]
 */
function whySignedOut({ type, status }, { code, message }, body) {
  if (code === "not-signed-in" || (code === "not-allowed" && !body)) return message;
  if (type === "opaqueredirect" || (!code && (status === 401 || status === 403))) return "You are signed out.";
  return "";
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body]
 */
async function send(path, signal, body) {
  /** @type {Record<string, string>} */
  const headers = { ...proof };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(API + path, {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
      signal, cache: "no-store", redirect: session ? "manual" : "error",
      // App Service refuses a POST with its cookie that does not say which page it comes from.
      referrerPolicy: session ? "same-origin" : "no-referrer",
    });
  } catch (error) {
    if (wasLeft(error)) throw error;
    throw new Refused(0, "The function app does not respond. Check that it is running, and check your network.");
  }
}

/** @param {Response} answer */
async function refusalOf(answer) {
  try {
    const { code, message } = (await answer.json()).error;
    return new Refused(answer.status, String(message), String(code));
  } catch {
    return new Refused(answer.status, `The function app returned status ${answer.status}. See its log for the cause.`);
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
