// What can be asked and ordered, and what the answers hold. shared/console/api.py answers.

import { call } from "./call.js";

/** @typedef {"exchange" | "sharepoint"} Side */

/**
 * @typedef {object} Entry One user as the list tells of them.
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} displayName
 * @property {string} status
 * @property {string} detail
 * @property {string} checkedAt
 * @property {string} syncedAt
 * @property {string} damage What an audit has found wrong in SharePoint; empty if nothing.
 * @property {string} [leftSince]
 * @property {string} [outOfScopeSince]
 */

/**
 * @typedef {object} Audit
 * @property {string} id
 * @property {string} status
 * @property {string} detail
 * @property {boolean} everybody Ordered by a person, so that it does not rest between its pages.
 * @property {boolean} repair
 * @property {string} repairs
 * @property {string} startedAt
 * @property {string} updatedAt
 * @property {string} finishedAt
 * @property {string} waitingUntil
 * @property {number} looked
 * @property {number} differ
 * @property {number} progress
 */

/**
 * @typedef {object} Sweep
 * @property {string} id
 * @property {string} status
 * @property {string} detail
 * @property {string} startedAt
 * @property {string} updatedAt
 * @property {string} finishedAt
 * @property {number} users
 * @property {Record<string, number>} changed
 * @property {number} expectedUsers
 * @property {string} eta
 */

/**
 * @typedef {object} Subscription
 * @property {string} status
 * @property {string} detail
 * @property {string} expiresAt
 * @property {string} checkedAt
 */

/** @typedef {{ engaged: boolean, gone: number, left: number, managed: number, detail: string }} Brake */

/** @typedef {{ status: string, left: number }} Uninstall */

/** @typedef {{ name: string, reason: string, body: string, at: string }} SetAside */

/**
 * @typedef {object} Overview
 * @property {string} asOf
 * @property {Record<string, number>} counts
 * @property {string} countedAt
 * @property {Record<string, number>} queues
 * @property {Subscription | null} subscription
 * @property {Sweep | null} sweep
 * @property {Brake} brake
 * @property {Audit | null} audit
 * @property {number} differ How many people an audit has found to differ in SharePoint.
 * @property {Uninstall | null} uninstall
 * @property {Entry[]} failures
 * @property {SetAside[]} unreadable
 * @property {number} unreadableCount
 * @property {Record<string, string>} groups The object ids of the groups that bind, by setting.
 * @property {boolean} dryRun
 */

/**
 * @typedef {object} State What PhotoSync remembers of a user.
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} status
 * @property {string} reason
 * @property {string} detail
 * @property {string} sha256
 * @property {string} sourceEtag
 * @property {string} sizes
 * @property {string} damage What an audit has found wrong in SharePoint; empty if nothing.
 * @property {string | null} syncedAt
 * @property {string | null} checkedAt
 * @property {number} attempt
 * @property {string | null} nextAttemptAt
 * @property {string | null} missingSince
 * @property {string | null} leftSince
 * @property {string | null} outOfScopeSince
 * @property {{ expiresAt: string } | null} claim
 * @property {{ code: string, message: string, at: string } | null} lastError
 */

/**
 * @typedef {object} User As Microsoft 365 knows them; null where it could not be asked.
 * @property {string} id
 * @property {string} userPrincipalName
 * @property {string} displayName
 * @property {boolean | null} accountEnabled
 * @property {boolean | null} guest
 */

/** @typedef {Record<string, string>} Profile */

/** @typedef {{ at: string, event: string, detail: string }} Happening */

/** @typedef {{ side: Side, message: string, retryAfter: number | null }} Unasked */

/**
 * @typedef {object} Person
 * @property {User} user
 * @property {State | null} state
 * @property {Profile | null} profile
 * @property {boolean | null} agree Null if the two sides could not be compared.
 * @property {string} difference
 * @property {string} [chosen] The address of the picture that is shown, if a person chose it.
 * @property {Unasked[]} [unasked]
 * @property {Happening[]} history
 */

/**
 * @typedef {object} Order One that somebody gave, with its end.
 * @property {string} at
 * @property {string} order
 * @property {{ via: string, name?: string, id?: string }} by
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} options
 * @property {string} result Empty while it has none.
 * @property {string} detail
 * @property {string} endedAt
 */

/** @typedef {{ name: string, ok: boolean, detail: string, action: string, looked: boolean }} Check */

/** @typedef {{ via: "key" | "person", name: string, role: "Viewer" | "Operator" }} Caller Who asks. */

/** @returns {Promise<Caller>} */
export function readMe() {
  return json("me");
}

/** @returns {Promise<Overview>} */
export function readOverview() {
  return json("overview");
}

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 * @returns {Promise<{ users: Entry[], token: string }>}
 */
export function readPeople(query, signal) {
  return json(`users?${query}`, signal);
}

/**
 * @param {string} user
 * @param {AbortSignal} signal
 * @returns {Promise<Person>}
 */
export function readPerson(user, signal) {
  return json(`users/${encodeURIComponent(user)}`, signal);
}

/**
 * @param {string} user
 * @param {Side} side
 * @param {AbortSignal} signal
 */
export async function readPhoto(user, side, signal) {
  return (await call(`users/${encodeURIComponent(user)}/photo/${side}`, signal)).blob();
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<{ ok: boolean, checks: Check[] }>}
 */
export function readCheckUp(signal) {
  return json("doctor", signal);
}

/**
 * The orders about somebody, or all of them; the newest first.
 *
 * @param {string} user
 * @param {string} token
 * @param {AbortSignal} signal
 * @returns {Promise<{ orders: Order[], token: string, damaged: number }>}
 */
export function readOrders(user, token, signal) {
  return json(`history?${new URLSearchParams({ user, token })}`, signal);
}

/** @typedef {{ force: boolean, replace?: boolean }} Replay */

/**
 * @param {string} user
 * @param {Replay} order
 * @param {AbortSignal} signal
 */
export function orderReplay(user, order, signal) {
  return json(`users/${encodeURIComponent(user)}/replay`, signal, order);
}

export function orderSweep() {
  return json("sweep", undefined, {});
}

/** @param {AbortSignal} signal */
export function orderRenewal(signal) {
  return json("sweep", signal, { renew: true });
}

/** @returns {Promise<{ released: number }>} */
export function orderRelease() {
  return json("sweep", undefined, { releaseRemovals: true });
}

/** @param {boolean} repair */
export function orderAudit(repair) {
  return json("audit", undefined, { repair });
}

/** @returns {Promise<{ released: number }>} */
export function orderRepairs() {
  return json("audit", undefined, { releaseRepairs: true });
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body]
 */
async function json(path, signal, body) {
  return (await call(path, signal, body)).json();
}
