import { type NodeAddress, parseAddress } from "./address.ts";
import { parseCount } from "./count.ts";

/**
 * What each kind of event tells besides the fields that all have, and whether that is a number, never
 * negative, or a text. `node` is the node that it is about, `by` the one that says so.
 *
 * | kind | what happened |
 * |---|---|
 * | `node-died` | the node was found Dead in this epoch of it |
 * | `node-joining` | it is back and catches up |
 * | `node-alive` | it serves again, in this epoch of it |
 * | `node-respawned` | its process was started again and answers |
 * | `heal-started` | `by` begins to bring it back: the first attempt, the second, … |
 * | `heal-finished` | it is Alive again, so long after its death was noticed |
 * | `heal-failed` | an attempt came to nothing |
 * | `ring-checked` | a `NODE HEAL` at this node has gone round the ring |
 * | `file-stored` | a client's push was answered OK by this node |
 * | `file-deleted` | so was a delete |
 * | `files-changed` | so many pushes and deletes more, which are too many to be told one by one |
 * | `chunk-damaged` | a chunk of this node is damaged or gone; `part` counts from 1 |
 * | `chunk-repaired` | this node has fetched so many chunks of a file from other nodes |
 * | `repair-failed` | it could not, and will try again |
 * | `scrub-started` | this node begins to verify every chunk that it has |
 * | `scrub-finished` | it has: chunks checked, fetched again, and to be had nowhere |
 */
const eventFields = {
  "node-died": { epoch: "number", reason: "text" },
  "node-joining": { epoch: "number" },
  "node-alive": { epoch: "number" },
  "node-respawned": {},
  "heal-started": { attempt: "number" },
  "heal-finished": { seconds: "number" },
  "heal-failed": { reason: "text" },
  "ring-checked": { seconds: "number" },
  "file-stored": { name: "text", size: "number", version: "text" },
  "file-deleted": { name: "text" },
  "files-changed": { count: "number" },
  "chunk-damaged": { name: "text", part: "number", reason: "text" },
  "chunk-repaired": { name: "text", count: "number" },
  "repair-failed": { name: "text", reason: "text" },
  "scrub-started": {},
  "scrub-finished": { checked: "number", repaired: "number", lost: "number" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, "number" | "text">>>>;

/** What can happen. */
export type EventKind = keyof typeof eventFields;

type FieldsOf<K extends EventKind> = {
  readonly [F in keyof (typeof eventFields)[K]]: (typeof eventFields)[K][F] extends "number"
    ? number
    : string;
};

/** Something that happened to a node, as who saw it tells it; the table above lists the kinds. */
export type Happening = {
  [K in EventKind]: { readonly kind: K; readonly node: NodeAddress } & FieldsOf<K>;
}[EventKind];

/** A happening with who told it, and when. */
export type RingEvent = Happening & {
  /** Names the event among those of its teller, as {@linkcode formatEventId} writes it. */
  readonly id: string;
  /** When it was seen, by the teller's calendar, in ms since the epoch. */
  readonly timeMs: number;
  /** The node that tells it. */
  readonly by: NodeAddress;
};

/** Characters of a text in an event; the longest that has to be whole is a file name. */
export const eventTextMax = 400;

/** Bytes of the line of an event: two texts, each character of which may be escaped. */
export const eventLineBytesMax = 8 * 1024;

/** The kinds of events, in the order of the table. */
export const eventKinds: readonly EventKind[] = Object.keys(eventFields) as EventKind[];

/** Writes an event as a line of JSON, without the line end; longer texts are cut. */
export function formatEvent(event: RingEvent): string {
  return JSON.stringify(event, (_key, value) => {
    return typeof value === "string" ? cutText(value) : value;
  });
}

/**
 * Reads an event, which another process may have written; `undefined` when it is none, or of a kind that
 * this program does not know. What is not known of a kind that is, is left out.
 *
 * @example
 * ```ts
 * import { formatEvent, parseEvent, type RingEvent } from "./ring_event.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const node = formatAddress("127.0.0.1", 7000);
 * const event: RingEvent = {
 *   id: "k3f-1",
 *   timeMs: 1_700_000_000_000,
 *   by: node,
 *   kind: "file-deleted",
 *   node,
 *   name: "a.txt",
 * };
 * assertEquals(parseEvent(formatEvent(event)), event);
 * assertEquals(parseEvent("{}"), undefined);
 * ```
 */
export function parseEvent(text: string): RingEvent | undefined {
  const given = parseObject(text);
  if (given === undefined) return undefined;
  const { kind, id, timeMs } = given;
  const [node, by] = [addressOf(given["node"]), addressOf(given["by"])];
  if (typeof kind !== "string" || !Object.hasOwn(eventFields, kind)) return undefined;
  if (typeof id !== "string" || parseEventId(id) === undefined) return undefined;
  if (!isAmount(timeMs) || node === undefined || by === undefined) return undefined;
  const event: Record<string, unknown> = { id, timeMs, by, kind, node };
  for (const [field, type] of Object.entries(eventFields[kind as EventKind])) {
    const value = given[field];
    if (type === "number" ? !isAmount(value) : typeof value !== "string") return undefined;
    event[field] = typeof value === "string" ? cutText(value) : value;
  }
  return event as unknown as RingEvent;
}

/** Which event of which life of its teller. */
export interface EventId {
  /** Names one process: after a restart the numbers begin anew. */
  readonly run: string;
  /** Counts from 1. */
  readonly number: number;
}

/** Writes the id of an event. */
export function formatEventId({ run, number }: EventId): string {
  return `${run}-${number}`;
}

/**
 * Reads the id of an event; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { formatEventId, parseEventId } from "./ring_event.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEventId(formatEventId({ run: "k3f", number: 17 })), { run: "k3f", number: 17 });
 * assertEquals(parseEventId("0"), undefined);
 * ```
 */
export function parseEventId(text: string): EventId | undefined {
  const match = /^([0-9A-Za-z]{1,32})-([0-9]{1,16})$/.exec(text);
  const number = parseCount(match?.[2] ?? "");
  if (match?.[1] === undefined || number === undefined) return undefined;
  return { run: match[1], number };
}

/** What a node sends on a connection that said `RING EVENTS`. */
export type EventLine =
  | { readonly kind: "event"; readonly event: RingEvent }
  /** So many events are gone that came before what follows. */
  | { readonly kind: "missed"; readonly count: number }
  /** Nothing has happened; the node is there. */
  | { readonly kind: "idle" };

/** Writes a line of `RING EVENTS`, its end included. */
export function formatEventLine(line: EventLine): string {
  if (line.kind === "idle") return "IDLE\n";
  if (line.kind === "missed") return `MISSED ${line.count}\n`;
  return `EVENT ${formatEvent(line.event)}\n`;
}

/**
 * Reads a line of `RING EVENTS`, without its end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseEventLine } from "./ring_event.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEventLine("IDLE"), { kind: "idle" });
 * assertEquals(parseEventLine("MISSED 12"), { kind: "missed", count: 12 });
 * assertEquals(parseEventLine("EVENT {}"), undefined);
 * ```
 */
export function parseEventLine(line: string): EventLine | undefined {
  if (line === "IDLE") return { kind: "idle" };
  if (line.startsWith("EVENT ")) {
    const event = parseEvent(line.slice(6));
    return event && { kind: "event", event };
  }
  const count = line.startsWith("MISSED ") ? parseCount(line.slice(7)) : undefined;
  return count === undefined ? undefined : { kind: "missed", count };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function addressOf(value: unknown): NodeAddress | undefined {
  return typeof value === "string" ? parseAddress(value) : undefined;
}

function isAmount(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function cutText(text: string): string {
  if (text.length <= eventTextMax) return text;
  return `${text.slice(0, eventTextMax - 1).toWellFormed()}…`;
}
