import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import type { Member } from "./member.ts";
import type { ViewMessage } from "./view_codec.ts";

/** What the ring machine wants done. Whoever drives it does each effect once, in any order. */
export type Effect =
  | RequestEffect
  /** The answer to a command: whole lines. */
  | { readonly kind: "reply"; readonly id: number; readonly text: string }
  /** The answer to a `RING VIEW`. */
  | { readonly kind: "reply-view"; readonly id: number; readonly view: ViewMessage }
  /** A `mark-dead` is done: the node knows of it, or could not be told. */
  | { readonly kind: "told"; readonly id: number }
  /** Start a process for the node; give the outcome back as a `respawned` event. */
  | { readonly kind: "respawn"; readonly address: NodeAddress; readonly options: string }
  /** Compare catalogs with these peers; give `caught-up` with this round back, or `catch-up-failed`. */
  | {
    readonly kind: "catch-up";
    readonly round: number;
    readonly peers: readonly CatchUpPeer[];
  }
  /** A peer's catalog differs from this node's. */
  | {
    readonly kind: "catalog-differs";
    readonly peer: NodeAddress;
    readonly catalogDigest: string;
  }
  /** Send `FILE TAGS-SET` to an original that is back. */
  | { readonly kind: "send-tags"; readonly to: NodeAddress }
  | StatusEffect
  /** What the machine knows has changed: save its snapshot. */
  | { readonly kind: "save" }
  | {
    readonly kind: "log";
    readonly level: "debug" | "info" | "warn";
    readonly event: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };

/** One request to another node. Exactly one `answered` event with its id must follow. */
export interface RequestEffect {
  readonly kind: "request";
  readonly id: number;
  readonly to: NodeAddress;
  readonly message: RingMessage;
  /** After this long without the whole answer, the answer is `silent`. */
  readonly deadlineMs: number;
}

/** Another member's status has changed; what is open to one that is Dead is of no use any more. */
export interface StatusEffect {
  readonly kind: "status";
  readonly member: Member;
  /** Why this node found the member Dead; `undefined` when others told it, or when it is not Dead. */
  readonly reason: string | undefined;
}

/** A command without a body, or a view. */
export type RingMessage =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "view"; readonly view: ViewMessage };

/** What became of a request. */
export type Answer =
  /** The first line of an answer that is no error, without its line end. */
  | { readonly kind: "line"; readonly line: string }
  | { readonly kind: "view"; readonly view: ViewMessage }
  /** The text after `ERR `: somebody is there. */
  | { readonly kind: "error"; readonly error: string }
  /** Nobody listens there, or whoever did broke the connection off. */
  | { readonly kind: "refused" }
  | { readonly kind: "silent" }
  /** This node could not ask, for want of descriptors or the like. Says nothing of the other. */
  | { readonly kind: "local" };

/** A peer that knows that this node takes commits again. */
export interface CatchUpPeer {
  readonly address: NodeAddress;
  /** The digest of its catalog when it answered; `""` when it told none. */
  readonly catalogDigest: string;
}
