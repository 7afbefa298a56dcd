// What can be asked and ordered, and what the answers hold. shared/console/api.py answers.

import { call } from "./call.js";

/** @typedef {"exchange" | "sharepoint"} Side */

/**
 * @typedef {object} Entry One user as the list tells of them.
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} displayName
 * @property {string} status Empty if PhotoSync has not looked at them yet.
 * @property {string} detail
 * @property {string} checkedAt
 * @property {string} syncedAt
 * @property {string} damage What an audit has found wrong in SharePoint; empty if nothing.
 * @property {boolean} dismissed Whether somebody has taken their failure off the overview.
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
 * @typedef {object} Fill How far the people are whom a sweep has given turns.
 * @property {string} status
 * @property {string} startedAt
 * @property {number} sent
 * @property {number} found
 * @property {boolean} isWhole Whether no more are found.
 * @property {string} eta When all had theirs; empty while nobody can know.
 */

/**
 * @typedef {object} Subscription
 * @property {string} status
 * @property {string} detail
 * @property {string} expiresAt
 * @property {string} checkedAt
 */

/** @typedef {{ engaged: boolean, gone: number, left: number, managed: number, detail: string }} Brake */

/** @typedef {{ engaged: boolean, released: boolean, differ: number, detail: string }} RepairBrake */

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
 * @property {Fill | null} fill
 * @property {Brake} brake
 * @property {Audit | null} audit
 * @property {RepairBrake} repairBrake Of the newest audit, or of the one before while that one runs.
 * @property {number} differ How many people an audit has found to differ in SharePoint.
 * @property {Uninstall | null} uninstall
 * @property {Entry[]} failures The newest that nobody has dismissed.
 * @property {number} dismissed How many failures somebody has; they are in the counts.
 * @property {SetAside[]} unreadable
 * @property {number} unreadableCount
 * @property {Record<string, string>} groups The object ids of the groups that bind, by setting.
 * @property {boolean} dryRun
 * @property {string} version
 * @property {string} packedAt When the running package was put together; empty if nobody wrote it down.
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
 * @typedef {object} Card What to tell of a person, in plain words.
 * @property {string} seen
 * @property {string} why
 * @property {string} next
 * @property {"" | "replay" | "doctor" | "removals" | "leavers"} action What the one right button does.
 * @property {string} label
 * @property {boolean} byDesign
 * @property {string} ticket
 */

/**
 * @typedef {object} Person
 * @property {User} user
 * @property {Card} card
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
 * @typedef {object} People A page of the list.
 * @property {Entry[]} users
 * @property {string} token Where the list goes on; empty at its end.
 * @property {number} [sortedWithin] Of how many people at a time it is by name, if not of all.
 * @property {string} [unasked] Why Microsoft Graph could not be asked for whom no state names.
 */

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 * @returns {Promise<People>}
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
 * What is remembered alone, for who looks again and again: both sides cost calls.
 *
 * @param {string} user
 * @param {AbortSignal} signal
 * @returns {Promise<{ state: State | null }>}
 */
export function readState(user, signal) {
  return json(`users/${encodeURIComponent(user)}?sides=none`, signal);
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

/** @param {{ users: string[] } | { unreadableTo: string }} order */
export function orderDismissal(order) {
  return json("dismiss", undefined, order);
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @param {object} [body]
 */
async function json(path, signal, body) {
  return (await call(path, signal, body)).json();
}
