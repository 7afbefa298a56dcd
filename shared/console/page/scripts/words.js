// The words for the codes of the API.

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
  return STATUSES[status] ?? (status || "Not checked yet");
}

// A filter that is not a status: people whose pictures the next removals remove.
export const GONE = "gone";

// Another such filter: people whose pictures in SharePoint differ according to an audit.
export const DIFFERS = "differs";

/** @type {Record<string, string>} */
export const FILTERS = {
  ...STATUSES,
  [GONE]: "Photo gone, picture still shown",
  [DIFFERS]: "SharePoint differs",
};

/** @type {Record<string, string>} */
export const QUEUES = {
  "photo-sync": "To be synced",
  "photo-sync-poison": "Sync poison queue",
  "photo-upkeep": "Upkeep",
  "photo-upkeep-poison": "Upkeep poison queue",
};

/** @type {Record<string, string>} */
export const ORDERS = {
  replay: "Replay",
  repair: "Audit and repair",
  sweep: "Sweep",
  renew: "Subscription renewal",
  audit: "Audit",
  "release-removals": "Release of removals",
  "release-repairs": "Release of repairs",
  uninstall: "Uninstall",
  "cancel-uninstall": "Cancel uninstall",
  dismiss: "Dismissal",
};

/** @type {Record<string, string>} */
export const RESULTS = {
  refused: "Refused",
  begun: "Started",
  done: "Done",
  finished: "Finished",
  cancelled: "Cancelled",
  halted: "Not done: PhotoSync is stopped",
  parked: "Moved to the poison queue",
  unreadable: "Set aside",
  forgotten: "Forgotten",
};

/** @type {Record<string, string>} */
export const EVENTS = {
  queued: "Queued",
  synced: "Synced",
  unchanged: "Unchanged",
  failed: "Failed",
  waiting: "Waiting",
  removed: "Removed",
  skipped: "Skipped",
  left: "Left",
  "out of scope": "Out of scope",
  "no-photo": "No photo",
  "photo missing": "Photo missing",
  written: "Written",
};
