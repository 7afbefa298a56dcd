// Calls of our own API with a key or a session, and their errors.

// Relative to the page's own address, whatever route prefix the host has.
const API = location.pathname.replace(/\/+$/, "") + "/";

/**
 * The headers that authenticate the caller; null until there is a key or a session.
 *
 * @type {Record<string, string> | null}
 */
let credentials = null;
let session = false;
/** @type {(why: string) => void} */
let whenSignedOut = () => {};

class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [code] The error's code.
   */
  constructor(status, message, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param {string} key */
export function useKey(key) {
  credentials = { "x-functions-key": key };
  session = false;
}

/** The browser sends the cookie with forms of other pages too, but never this header. */
export function useSession() {
  credentials = { "X-PhotoSync-Order": "1" };
  session = true;
}

export function dropCredentials() {
  credentials = null;
}

export function isSignedIn() {
  return credentials !== null;
}

/**
 * Set what happens when the key is not accepted, or the session is over.
 *
 * @param {(why: string) => void} then
 */
export function onSignedOut(then) {
  whenSignedOut = then;
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body] An order; without a body the call only reads.
 */
export async function call(path, signal, body) {
  const used = credentials;
  const answer = await send(path, signal, body);
  if (answer.ok) return answer;
  const refusal = await refusalOf(answer);
  const why = session ? whySignedOut(answer, refusal, body) : whyWrongKey(answer);
  if (!why) throw refusal;
  if (used === credentials) whenSignedOut(why);
  throw new Refused(401, why);
}

/** @param {Response} answer */
function whyWrongKey({ status }) {
  return status === 401 ? "This key was not accepted. Copy the whole key again, from this function app." : "";
}

/**
 * The reason if the session is over or has no role, otherwise "". The platform answers a fetch without
 * a session with 302, 401 or 403; only our own answers give a reason.
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
  const headers = { ...credentials };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(API + path, {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
      signal, cache: "no-store", redirect: session ? "manual" : "error",
      // App Service refuses a POST with its cookie unless it names the page that sent it.
      referrerPolicy: session ? "same-origin" : "no-referrer",
    });
  } catch (error) {
    if (isAbort(error)) throw error;
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
function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * Whether to show no error: the view was closed, or the sign-in form already says why.
 *
 * @param {unknown} error
 */
export function needsNoMessage(error) {
  return isAbort(error) || (error instanceof Refused && error.status === 401);
}

/** @param {unknown} error */
export function isMissing(error) {
  return error instanceof Refused && error.status === 404 && !isKeptPicture(error);
}

/**
 * Whether the error stands for a picture that a person chose and that the app cannot show.
 *
 * @param {unknown} error
 */
export function isKeptPicture(error) {
  return error instanceof Refused && error.code === "picture-kept";
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
