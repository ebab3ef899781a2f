import { type NodeAddress, parseAddress } from "../protocol/address.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import { isId } from "../protocol/names.ts";
import type { Member, MemberStatus, Program } from "./member.ts";
import { canonicalOrder } from "./topology.ts";
import type { Shape, View } from "./view.ts";

/**
 * The body of `RING VIEW`, of its answer, and what a node saves: a view, or the part of it that is
 * news. Everything but the members may be left out.
 */
export interface ViewMessage {
  /** Who sends it; a supervisor has no address. */
  readonly from?: NodeAddress;
  /** The digest of the sender's view, this message included. */
  readonly digest?: string;
  /** The digest of the sender's catalog. */
  readonly catalogDigest?: string;
  /** The sender serves clients: it has caught up with the ring as it sees it. */
  readonly isReady?: boolean;
  /** The sender's whole view is here; the answer is to hold all that it lacks. */
  readonly full: boolean;
  readonly shape?: Shape;
  readonly members: readonly Member[];
  /** The receiver is to pass the news on to these members. */
  readonly spread?: SpreadRange;
  /** The next hop as `NODE NEXT` set it, where the shape says otherwise; only in what is saved. */
  readonly next?: NodeAddress;
}

/** A stretch of the ring: the `count` members behind `after`. */
export interface SpreadRange {
  readonly after: NodeAddress;
  readonly count: number;
}

/** Options in JSON; a member's are a few hundred characters. */
export const optionsCharsMax = 8 * 1024;

/** Writes a message as JSON. Options are written once, however many members share them. */
export function formatView(message: ViewMessage): string {
  const options = new Map<string, number>();
  const members = message.members.map((member) => {
    let index = options.get(member.options);
    if (index === undefined) options.set(member.options, index = options.size);
    const { address, status, epoch, program } = member;
    return [address, statusLetters[status], epoch, programLetters[program], index];
  });
  const { from, digest, catalogDigest, isReady, full, shape, spread, next } = message;
  return JSON.stringify({
    format: 1,
    from,
    digest,
    catalogDigest,
    ready: isReady,
    full,
    shape: shape === undefined ? undefined : [shape.version, shape.order],
    options: [...options.keys()],
    members,
    spread: spread === undefined ? undefined : [spread.after, spread.count],
    next,
  });
}

/**
 * Reads what {@linkcode formatView} wrote.
 *
 * @throws {SyntaxError} on anything else: it may come from anybody.
 *
 * @example
 * ```ts
 * import { formatView, parseView } from "./view_codec.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const address = formatAddress("127.0.0.1", 7000);
 * const message = {
 *   full: true,
 *   shape: { version: 1, order: [address] },
 *   members: [
 *     { address, status: "Alive", epoch: 0, program: "ouroboros", options: "{}" },
 *   ],
 * } as const;
 * assertEquals(parseView(formatView(message)), message);
 * assertThrows(() => parseView("{}"), SyntaxError);
 * ```
 */
export function parseView(text: string): ViewMessage {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw new SyntaxError("A view is an object");
  const fields: Readonly<Record<string, unknown>> = { ...json };
  if (fields["format"] !== 1) throw new SyntaxError("A view of an unknown format");
  const options = list(fields["options"], ringNodesMax).map((item) => text8k(item));
  return {
    ...optional("from", fields["from"], address),
    ...optional("digest", fields["digest"], id),
    ...optional("catalogDigest", fields["catalogDigest"], id),
    ...optional("isReady", fields["ready"], (value) => value === true),
    full: fields["full"] === true,
    ...optional("shape", fields["shape"], parseShape),
    members: list(fields["members"], ringNodesMax).map((item) => parseMember(item, options)),
    ...optional("spread", fields["spread"], parseSpread),
    ...optional("next", fields["next"], address),
  };
}

/** The whole of a view. */
export function fullView(view: View): ViewMessage {
  const message = { digest: view.digest, full: true, members: view.members() };
  return view.isWired ? { ...message, shape: view.shape } : message;
}

/** What {@linkcode initialView} is made of. */
export interface InitialRing {
  /** All nodes, in ring order. */
  readonly order: readonly NodeAddress[];
  /** The options of every one of them, in JSON, without address and log file. */
  readonly options: string;
}

/**
 * The body of the `RING VIEW` that wires a whole ring at once: a supervisor sends it to every node
 * that listens. A node that knows of a later shape, or more of a member, keeps what it knows.
 */
export function initialView({ order, options }: InitialRing): string {
  return formatView({
    full: true,
    shape: { version: 1, order: canonicalOrder(order) },
    members: order.map((address) => ({
      address,
      status: "Alive",
      epoch: 1,
      program: "ouroboros",
      options,
    })),
  });
}

/** The body of a `RING VIEW` that only asks: the answer is the node's whole view. */
export function viewQuery(): string {
  return formatView({ full: true, members: [] });
}

/**
 * The ring that a saved view is of; `undefined` for a node that was never wired, or if the text is
 * no view.
 */
export function savedOrder(text: string): readonly NodeAddress[] | undefined {
  try {
    return parseView(text).shape?.order;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseShape(value: unknown): Shape {
  const [version, order] = list(value, 2);
  const nodes = list(order, ringNodesMax).map(address);
  if (nodes.length === 0) throw new SyntaxError("A ring without members");
  return { version: count(version), order: nodes };
}

function parseMember(value: unknown, options: readonly string[]): Member {
  const [node, status, epoch, program, index] = list(value, 5);
  const known = options[count(index)];
  if (known === undefined) throw new SyntaxError("A member without options");
  return {
    address: address(node),
    status: keyOf(statusLetters, status),
    epoch: count(epoch),
    program: keyOf(programLetters, program),
    options: known,
  };
}

function parseSpread(value: unknown): SpreadRange {
  const [after, members] = list(value, 2);
  return { after: address(after), count: Math.min(count(members), ringNodesMax) };
}

function optional<K extends string, T>(
  key: K,
  value: unknown,
  parse: (value: unknown) => T,
): { [key in K]?: T } {
  const fields: { [key in K]?: T } = {};
  if (value !== undefined && value !== null) fields[key] = parse(value);
  return fields;
}

function list(value: unknown, itemsMax: number): unknown[] {
  if (!Array.isArray(value) || value.length > itemsMax) throw new SyntaxError("A list expected");
  return value;
}

function address(value: unknown): NodeAddress {
  const parsed = typeof value === "string" ? parseAddress(value) : undefined;
  if (parsed === undefined) throw new SyntaxError("An address expected");
  return parsed;
}

function id(value: unknown): string {
  if (typeof value !== "string" || !isId(value)) throw new SyntaxError("A digest expected");
  return value;
}

function text8k(value: unknown): string {
  if (typeof value !== "string" || value.length > optionsCharsMax) {
    throw new SyntaxError("Options expected");
  }
  return value;
}

/** Numbers stay far below what an epoch that counts up could not exceed any more. */
function count(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > countMax) {
    throw new SyntaxError("A count expected");
  }
  return value as number;
}

function keyOf<K extends string>(letters: Readonly<Record<K, string>>, letter: unknown): K {
  for (const key in letters) {
    if (letters[key] === letter) return key;
  }
  throw new SyntaxError("A status or a program expected");
}

const countMax = 2 ** 48;

const statusLetters: Readonly<Record<MemberStatus, string>> = {
  Joining: "J",
  Alive: "A",
  Dead: "D",
};

const programLetters: Readonly<Record<Program, string>> = {
  unknown: "u",
  ouroboros: "o",
  original: "x",
};
