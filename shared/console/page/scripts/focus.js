// Where the keyboard is.

/**
 * A button that was disabled or hidden since has lost the focus: to *element*, if nobody moved on.
 *
 * @param {Element | null} element
 */
export function returnFocus(element) {
  const at = document.activeElement;
  const lost = !at || at === document.body || at.matches(":disabled") || !at.getClientRects().length;
  if (lost && element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true });
}
