// The calls of our API and the types of its answers. shared/console/api.py answers.

import { call } from "./call.js";

/** @typedef {"exchange" | "sharepoint"} Side */

/**
 * @typedef {object} Entry One user in the list.
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} displayName
 * @property {string} status Empty if PhotoSync has not checked the user yet.
 * @property {string} detail
 * @property {string} checkedAt
 * @property {string} syncedAt
 * @property {string} damage What an audit has found wrong in SharePoint; empty if nothing.
 * @property {boolean} dismissed Whether somebody has dismissed the failure from the overview.
 * @property {string} [leftSince]
 * @property {string} [outOfScopeSince]
 */

/**
 * @typedef {object} Audit
 * @property {string} id
 * @property {string} status
 * @property {string} detail
 * @property {boolean} everybody Ordered by a person, so it does not pause between pages.
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
 * @typedef {object} Fill Progress of the first copies that a sweep queues at a limited pace.
 * @property {string} status
 * @property {string} startedAt
 * @property {number} sent
 * @property {number} found
 * @property {boolean} isWhole Whether the sweep has listed all of them.
 * @property {string} eta When all are copied; empty while that is unknown.
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
 * @property {RepairBrake} repairBrake Of the newest audit, or of the previous one while the newest runs.
 * @property {number} differ How many people differ in SharePoint according to an audit.
 * @property {Uninstall | null} uninstall
 * @property {Entry[]} failures The newest ones that are not dismissed.
 * @property {number} dismissed How many failures are dismissed; they are still in the counts.
 * @property {SetAside[]} unreadable
 * @property {number} unreadableCount
 * @property {Record<string, string>} groups The object ids of the groups that limit the scope, by setting.
 * @property {boolean} dryRun
 * @property {string} version
 * @property {string} packedAt When the running package was built; empty if unknown.
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
 * @typedef {object} User The user in Microsoft 365; null where it could not be asked.
 * @property {string} id
 * @property {string} userPrincipalName
 * @property {string} displayName
 * @property {boolean | null} accountEnabled
 * @property {boolean | null} guest
 */

/** @typedef {Record<string, string>} Profile */

/** @typedef {{ at: string, event: string, detail: string }} HistoryEvent */

/** @typedef {{ side: Side, message: string, retryAfter: number | null }} Unasked */

/**
 * @typedef {object} Card What to say about a person, in plain words.
 * @property {string} seen
 * @property {string} why
 * @property {string} next
 * @property {"" | "replay" | "doctor" | "removals" | "leavers"} action What the main button does.
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
 * @property {HistoryEvent[]} history
 */

/**
 * @typedef {object} Order An order that somebody gave, and how it ended.
 * @property {string} at
 * @property {string} order
 * @property {{ via: string, name?: string, id?: string }} by
 * @property {string} userId
 * @property {string} userPrincipalName
 * @property {string} options
 * @property {string} result Empty until there is one.
 * @property {string} detail
 * @property {string} endedAt
 */

/** @typedef {{ name: string, ok: boolean, detail: string, action: string, looked: boolean }} Check */

/** @typedef {{ via: "key" | "person", name: string, role: "Viewer" | "Operator" }} Caller Who is calling. */

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
 * @property {string} token Where the list continues; empty at its end.
 * @property {number} [sortedWithin] Size of each batch sorted by name; absent if the list is sorted as a whole.
 * @property {string} [unasked] Why Microsoft Graph could not be searched for people without a state.
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
 * The stored state alone, for callers that poll: reading both sides costs calls.
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
 * The orders about one user, or all orders, newest first.
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
