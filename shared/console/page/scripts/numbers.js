// Numbers as people read them.

/**
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
export function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** @param {number} number */
export function people(number) {
  return count(number, "person", "people");
}

/** @param {Record<string, number>} numbers */
export function sum(numbers) {
  return Object.values(numbers).reduce((total, number) => total + number, 0);
}
