// The keyboard focus.

/**
 * Focus *element* if the focus was lost because a button was disabled or hidden.
 *
 * @param {Element | null} element
 */
export function returnFocus(element) {
  const at = document.activeElement;
  const lost = !at || at === document.body || at.matches(":disabled") || !at.getClientRects().length;
  if (lost && element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true });
}
