// The name to show for a person, or the id if there is no name.

/** @param {{ displayName: string, userPrincipalName: string, userId: string }} entry */
export function nameOf({ displayName, userPrincipalName, userId }) {
  return displayName || userPrincipalName || userId;
}
