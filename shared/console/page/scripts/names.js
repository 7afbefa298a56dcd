// What to call a person of whom perhaps only the id is known.

/** @param {{ displayName: string, userPrincipalName: string, userId: string }} entry */
export function nameOf({ displayName, userPrincipalName, userId }) {
  return displayName || userPrincipalName || userId;
}
