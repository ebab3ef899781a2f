import type { NodeAddress } from "../protocol/address.ts";
import { lineBytesMax } from "../protocol/limits.ts";
import { type CommitReply, parseCommitReply } from "../protocol/peer_replies.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { askPeer } from "./ask_peer.ts";
import type { NodeContext } from "./context.ts";

/** How long a member may take to store records before it is marked Dead, in ms. */
export const commitDeadlineMs = 5_000;

/** Bytes of records that go in one message, unless a single one has more. */
const messageBytesMax = 256 * 1024;

/** Messages to one member that are on their way at once: the next one waits for company. */
const messagesMax = 2;

/** A record in JSON, and who waits for the member's word on it. */
interface Waiting {
  readonly record: Uint8Array;
  readonly settle: PromiseWithResolvers<CommitReply>;
}

/** What is to be sent to one member. */
interface Lane {
  waiting: Waiting[];
  underWay: number;
}

/**
 * Sends records to other members (`FILE COMMIT`). Those that come while messages to a member are on
 * their way go together in the next one, so that many pushes at once cost few messages.
 */
export class CommitSender {
  readonly #context: NodeContext;
  readonly #lanes = new Map<NodeAddress, Lane>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /**
   * Sends a record to a member and waits until it is durable there.
   *
   * @throws when the member cannot be reached, does not answer in time, or cannot store it.
   */
  send(member: NodeAddress, record: Uint8Array): Promise<CommitReply> {
    const lane = this.#lanes.get(member) ?? { waiting: [], underWay: 0 };
    this.#lanes.set(member, lane);
    const settle = Promise.withResolvers<CommitReply>();
    lane.waiting.push({ record, settle });
    if (lane.underWay < messagesMax) this.#run(member, lane);
    return settle.promise;
  }

  async #run(member: NodeAddress, lane: Lane): Promise<void> {
    lane.underWay++;
    // Records that were committed together come together: all go in this message.
    await Promise.resolve();
    while (lane.waiting.length > 0) {
      const group = takeGroup(lane);
      try {
        const replies = await this.#exchange(member, group);
        for (const [index, { settle }] of group.entries()) {
          const reply = replies[index];
          if (reply === undefined) settle.reject(new RangeError("A record has no answer"));
          else settle.resolve(reply);
        }
      } catch (error) {
        // What waited behind it would wait as long and fail as well.
        for (const { settle } of [...group, ...lane.waiting.splice(0)]) settle.reject(error);
      }
    }
    lane.underWay--;
    if (lane.underWay === 0) this.#lanes.delete(member);
  }

  /** Sends some records and gives the answers, one each. */
  async #exchange(member: NodeAddress, group: readonly Waiting[]): Promise<CommitReply[]> {
    const body = joinLines(group.map(({ record }) => record));
    const replies = await askPeer(this.#context, member, async (peer, program) => {
      if (program === "original") return undefined;
      const command = { kind: "file-commit", bodyBytes: body.length } as const;
      const first = await peer.request(command, { body, deadlineMs: commitDeadlineMs });
      const replies = [readReply(peer, first)];
      peer.setDeadline(commitDeadlineMs);
      while (replies.length < group.length) {
        replies.push(readReply(peer, await peer.readLine(lineBytesMax)));
      }
      peer.setDeadline(undefined);
      peer.release();
      return replies;
    });
    if (replies !== undefined) return replies;
    await this.#context.originals.sendTags(member);
    return group.map(() => ({ kind: "stored" }));
  }
}

/** Takes what fits in one message, at least one record. */
function takeGroup(lane: Lane): Waiting[] {
  let bytes = 0;
  const count = lane.waiting.findIndex(({ record }, index) => {
    bytes += record.length + 1;
    return index > 0 && bytes > messageBytesMax;
  });
  return lane.waiting.splice(0, count < 0 ? lane.waiting.length : count);
}

function readReply({ address }: PeerConnection, line: string): CommitReply {
  const reply = parseCommitReply(line);
  if (reply !== undefined) return reply;
  throw new Error(`${address} answered '${line}' to a commit`);
}

/** Puts lines behind each other, with a line end between two. */
function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) return only;
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, -1);
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const line of lines) {
    if (at > 0) joined[at++] = lineEnd;
    joined.set(line, at);
    at += line.length;
  }
  return joined;
}

const lineEnd = 0x0a;
