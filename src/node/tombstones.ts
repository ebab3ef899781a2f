import type { NodeAddress } from "../protocol/address.ts";
import { parseRingPong } from "../protocol/peer_replies.ts";
import { okReply } from "../protocol/replies.ts";
import { isUlid } from "../protocol/ulid.ts";
import { type Body, readWhole } from "./body.ts";
import type { NodeContext } from "./context.ts";
import type { Session } from "./session.ts";

/** How old a tombstone is before it is dropped, in ms: a push that was under way has ended by then. */
const tombstoneAgeMs = 120_000;

/** Tombstones that are dropped in one round. */
const batchMax = 1_000;

/** How long a member may take to answer, in ms. */
const askDeadlineMs = 3_000;

/** The record of a delete, as far as dropping it needs. */
interface Forgettable {
  readonly name: string;
  readonly version: string;
}

/**
 * Drops tombstones that every member has. The member with the lowest address does it for the ring,
 * and only while all members are Alive and ready with equal catalogs: then all have all of them, and
 * none can come back that does not. A member that misses the message hands its tombstones back by
 * the catalog exchange, and a later round drops them again.
 *
 * @returns how many were dropped here
 */
export async function collectTombstones(context: NodeContext): Promise<number> {
  const { catalog, clock, ring, self } = context;
  const members = ring.members();
  if (members.some(({ status, program }) => status !== "Alive" || program === "original")) return 0;
  const others = members.map(({ address }) => address).filter((address) => address !== self);
  if (others.some((address) => address < self)) return 0;
  const oldMs = clock.wallMs() - (context.testHooks?.values.tombstoneAgeMs ?? tombstoneAgeMs);
  const old = catalog.tombstones("", batchMax).filter(({ timeMs }) => timeMs < oldMs);
  if (old.length === 0) return 0;
  const digest = catalog.digest.root();
  const equal = await Promise.all(others.map((member) => hasCatalog(context, member, digest)));
  if (equal.includes(false) || catalog.digest.root() !== digest) return 0;
  const body = new TextEncoder().encode(
    old.map(({ name, version }) => `${version} ${name}\n`).join(""),
  );
  await Promise.all(
    others.map((member) =>
      context.peers.request(member, { kind: "catalog-forget", bodyBytes: body.length }, {
        deadlineMs: askDeadlineMs,
        body,
      })
    ),
  );
  return await catalog.dropTombstones(old);
}

/** Serves `CATALOG FORGET`. */
export async function serveCatalogForget(
  context: NodeContext,
  session: Session,
  body: Body,
): Promise<void> {
  const bytes = await readWhole(body, new Uint8Array(body.remaining));
  const lines = new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "");
  await context.catalog.dropTombstones(lines.map(parseLine));
  await session.reply(okReply);
}

function parseLine(line: string): Forgettable {
  const space = line.indexOf(" ");
  const version = line.slice(0, Math.max(0, space));
  if (!isUlid(version)) throw new SyntaxError("invalid line for CATALOG FORGET");
  return { version, name: line.slice(space + 1) };
}

/** Whether a member is ready and has exactly the records that this node has. */
async function hasCatalog(
  context: NodeContext,
  member: NodeAddress,
  digest: string,
): Promise<boolean> {
  try {
    const { catalog, incarnation, peers, ring, self } = context;
    const answer = await peers.request(member, {
      kind: "ring-ping",
      from: self,
      incarnation,
      viewDigest: ring.viewDigest(),
      catalogDigest: catalog.digest.root(),
    }, { deadlineMs: askDeadlineMs, idempotent: true });
    const pong = parseRingPong(answer);
    return pong?.state === "ready" && pong.catalogDigest === digest;
  } catch (error) {
    context.log.debug("no answer before dropping tombstones", { member, reason: `${error}` });
    return false;
  }
}
