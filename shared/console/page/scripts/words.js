// The words for what the API calls by a code.

/** @type {Record<string, string>} */
export const STATUSES = {
  synced: "Synced",
  failed: "Failed",
  waiting: "Waiting",
  "no-photo": "No photo",
  skipped: "Skipped",
  removed: "Removed",
  left: "Left",
};

/** @param {string} status */
export function statusName(status) {
  return STATUSES[status] ?? (status || "Unknown");
}

// A filter that is no status: people whose picture the next removals take.
export const GONE = "gone";

// Another: people whose picture in SharePoint an audit has found changed.
export const DIFFERS = "differs";

/** @type {Record<string, string>} */
export const FILTERS = {
  ...STATUSES,
  [GONE]: "Photo gone, picture still there",
  [DIFFERS]: "SharePoint differs",
};

/** @type {Record<string, string>} */
export const QUEUES = {
  "photo-sync": "To be synced",
  "photo-sync-poison": "Given up by the host",
  "photo-upkeep": "Upkeep",
  "photo-upkeep-poison": "Upkeep given up",
};

/** @type {Record<string, string>} */
export const ORDERS = {
  replay: "Replay",
  repair: "Audit and repair",
  sweep: "Sweep",
  renew: "Renewal of the subscription",
  audit: "Audit",
  "release-removals": "Release of the removals",
  "release-repairs": "Release of the repairs",
  uninstall: "Uninstall",
  "cancel-uninstall": "Uninstall cancelled",
  dismiss: "Line dismissed",
};

/** @type {Record<string, string>} */
export const RESULTS = {
  refused: "Refused",
  begun: "Begun",
  done: "Done",
  halted: "Not done: PhotoSync stands still",
  parked: "Given up by the host",
  unreadable: "Set aside",
  forgotten: "Forgotten",
};

/** @type {Record<string, string>} */
export const EVENTS = {
  queued: "Queued",
  synced: "Synced",
  unchanged: "Unchanged",
  failed: "Failed",
  waiting: "Waits",
  removed: "Removed",
  skipped: "Skipped",
  left: "Left",
  "out of scope": "Out of scope",
  "no-photo": "No photo",
  "photo missing": "Photo missing",
  written: "Written",
};
