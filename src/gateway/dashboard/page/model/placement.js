// @ts-check
/**
 * Where the parts of a file lie, seen from the nodes.
 *
 * @module
 */

/**
 * @typedef {object} Copy One copy of a part.
 * @property {string} address Of the node that has it.
 * @property {string} state `ok`, or what is wrong with it.
 */

/**
 * @typedef {object} Part
 * @property {number} number From 1.
 * @property {Copy[]} copies The holder's first, then the backups.
 */

/**
 * @typedef {object} Detail What the gateway tells of one file.
 * @property {string} name
 * @property {string} sha256 Empty where it is not known.
 * @property {Part[]} parts
 */

/**
 * @typedef {object} Mark What a node has of a file.
 * @property {number} part From 1.
 * @property {boolean} isBackup Whether another node is the part's holder.
 * @property {boolean} isGood Whether the copy is there and whole.
 */

/**
 * Reads the answer to `/files/<name>?stat`.
 *
 * @param {{ name: string, sha256: string | null, parts: { node: string, state: string }[][] }} answer
 * @returns {Detail}
 */
export function parseDetail({ name, sha256, parts }) {
  return {
    name,
    sha256: sha256 ?? "",
    parts: parts.map((copies, index) => ({
      number: index + 1,
      copies: copies.map(({ node, state }) => ({ address: node, state })),
    })),
  };
}

/**
 * What each node has of a file: the parts it holds, then the backups it keeps.
 *
 * @param {Part[]} parts
 * @returns {Map<string, Mark[]>} By the address of the node.
 */
export function marksByNode(parts) {
  /** @type {Map<string, Mark[]>} */
  const marks = new Map();
  for (const { number, copies } of parts) {
    copies.forEach(({ address, state }, place) => {
      const mark = { part: number, isBackup: place > 0, isGood: state === "ok" };
      marks.set(address, [...marks.get(address) ?? [], mark]);
    });
  }
  for (const each of marks.values()) {
    each.sort((a, b) => Number(a.isBackup) - Number(b.isBackup) || a.part - b.part);
  }
  return marks;
}

/**
 * How many copies there are of each part, and how many parts have fewer than they should.
 *
 * @param {Part[]} parts
 */
export function summarizeCopies(parts) {
  const wanted = Math.max(0, ...parts.map(({ copies }) => copies.length));
  const good = parts.map(({ copies }) => copies.filter(({ state }) => state === "ok").length);
  return {
    wanted,
    short: good.filter((count) => count < wanted && count > 0).length,
    lost: good.filter((count) => count === 0).length,
  };
}
