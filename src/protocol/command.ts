import type { NodeAddress } from "./address.ts";
import type { WriteCondition } from "./condition.ts";
import type { Edge, NetmapEntry, Tag } from "./lists.ts";

/**
 * One line of the protocol, parsed. The variants are grouped as in the tables of the protocol:
 * what clients send, what nodes of either program send each other, and what only our nodes
 * send each other.
 *
 * A variant with a `bodyBytes` field is followed on the wire by exactly that many bytes.
 *
 * The verbs that the original does not have (it answers them `ERR unknown … command`):
 *
 * | sent | answer |
 * |---|---|
 * | `NODE INFO` | `key: value` lines, then `OK` |
 * | `NODE STOP <incarnation>` | `OK`, then a clean exit |
 * | `NODE KILL <incarnation>` | nothing: the process kills itself at once, as a crash would, and the connection breaks |
 * | `NODE RESTRICT` | `OK`; from here on this connection refuses `NODE NEXT`, `NODE STOP` and `NODE KILL` (the gateway says it first) |
 * | `NODE SCRUB` | `checked: <n>`, `repaired: <n>`, `lost: <n>` of the copies of all Alive members, a line each, then `OK`, once every repair was tried; lost are those that no other node could give when it was asked |
 * | `NODE SCRUB-LOCAL` | `SCRUBBED <checked> <repaired> <lost>`: the same for this node alone |
 * | `FILE RANGE <offset> <count> <version> <name>` | `RANGE <offset> <count> <size> <version> <sha256> <time_ms> <name>` + the bytes from `offset` on, `count` of them; `-` for the count is all that is left, `-` for the version is the current one, `-` in the answer an unknown SHA-256. What the file does not have is not counted; with no bytes left this tells of the file. `ERR version gone` when another version is current |
 * | `FILE PUT <size> <sha256> <condition> <name>` | `CONTINUE`, and only then come the bytes; at their end `STORED <version> <sha256> <size> <new\|replaced> <name>`. A refusal before `CONTINUE` ends the connection, so that bytes sent too early are never read as commands |
 * | `FILE DELETE-IF <condition> <name>` | `OK` once the delete is durable |
 * | `FILE PAGE <limit> <after> <prefix>` | `PAGE <bytes>` + a JSON object a line for each of the first `limit` files after the name `after` whose names begin with `prefix`; both are percent-encoded, `-` is none |
 * | `FILE STAT <name>` | `name: …`, `size: …`, `sha256: …`, `version: …`, `parts: …`, then a line a part: `part 1: 127.0.0.1:7000 ok, 127.0.0.1:7004 missing`, its holder first; then `OK`. The states are those of `CopyState` in `file_replies.ts`: the bytes of a file of more than 1 MiB are not read for it |
 * | `NODE METRICS` | `METRICS <bytes>` + what this node counts and measures, in JSON (`node_metrics.ts`) |
 * | `RING PING <from> <incarnation> <view_digest> <catalog_digest>` | `PONG <address> <incarnation> <view_digest> <catalog_digest> <state>` with state `ready`, `catching-up` or `stopping` |
 * | `RING VIEW <bytes>` + a view in JSON | `VIEW <bytes>` + what the sender lacks, in the same form |
 * | `RING STOPPING <seconds>` | `OK`; nobody heals for that long |
 * | `RING EVENTS <after>` | `OK`, then a line for each event as it happens: `EVENT <json>` (`ring_event.ts`); `MISSED <n>` where some are gone; `IDLE` every 15 s without one. First those after the event with the id `<after>` that the node still has, all of them for `0` or an id of an earlier process. No other command is served on the connection |
 * | `FILE STAGE <token> <part> <copy> <bytes> <name>` + bytes | `OK` once this copy and every later one that is not the coordinator's are durable in staging: the receiver passes the bytes on to the next backup holder while it stores them. Part and copy count from 0, copy 0 is the holder's |
 * | `FILE STAGE-ALL <token> <file_bytes> <bytes> <name>` + bytes | `OK` once durable in staging: all copies that the receiver keeps of a small file in one message, its own part first, then those that it backs up, the nearest successor's first |
 * | `FILE COMMIT <bytes>` + records in JSON, one a line | a line a record, in order: `OK` once durable, or `HIGHER <version>`; a single `ERR …` if none could be stored |
 * | `FILE ABORT <push_id>` | `OK`; the staged chunks of that push are dropped |
 * | `FILE PUSH-STATE <push_id>` | `OK pending`, `OK committed` or `OK aborted`, each followed by the incarnation |
 * | `FILE OPEN <push_id> <part> <name>` | `PART <bytes>`: the part is open on this connection, in whatever place the node has it |
 * | `FILE READ <offset> <count>` | `DATA <count>` + bytes of the open part, checked against their checksums |
 * | `FILE FETCH <push_id> <part>,<part>…` | `DATA <count>` + the bytes of these parts, one after another, checked against their checksums, if the node has them all and they are 262,128 bytes at most, or one part of at most 1,048,560; else `ERR …`, and `FILE OPEN` finds out more |
 * | `CATALOG PULL <bytes>` + the asker's bucket digests | `RECORDS <bytes>` + records in JSON lines, any number of times, then `OK <state>` as in `PONG` |
 * | `CATALOG FORGET <bytes>` + `<version> <name>` lines | `OK`; every member has these tombstones, so they are dropped where they are still the last record of the name |
 *
 * A `<sha256>` of `FILE PUT` is compared before the push is committed; `-` compares nothing. A
 * `<condition>` is `-`, `absent`, `present`, `is:<version>,…` or `not:<version>,…`, and speaks of the
 * file of the name that the coordinator knows: it is looked at when the command comes, and again in one
 * step with the commit in the coordinator's catalog. So of two conditional changes through one node at
 * most one is based on each version. Through two nodes at the same moment both may find their condition
 * true; then both are answered as done, and the higher version stays.
 *
 * A version begins with the time, and a node takes none that is more than a year ahead of its own calendar.
 * Nodes tell theirs in `NODE INFO` (`time_ms`): a push or delete that some member would not take is answered
 * `ERR the clocks differ by more than a year: …` before anything is stored, and a node that cannot take what
 * it missed stays `ERR catching up` until its calendar is right.
 *
 * In a ring with nodes of the original, `FILE GET-CHUNK` and `FILE GET-BACKUP-CHUNK` give any part of a file
 * that our nodes coordinated, from wherever it lies; and `FILE TAGS-SET` to an original leaves out the files
 * of which it would ask another original for a copy that is not there (`original_reach.ts`), such as those
 * pushed while it was dead: it answers `ERR file not found` for them, and not with a part of the bytes.
 */
export type Command = ClientCommand | NodeCommand | OwnCommand;

/** What clients send. */
export type ClientCommand =
  | { readonly kind: "node-ping" }
  | { readonly kind: "node-status" }
  | { readonly kind: "node-next"; readonly address: NodeAddress }
  | { readonly kind: "node-heal" }
  | { readonly kind: "node-scrub" }
  | { readonly kind: "node-info" }
  | { readonly kind: "node-stop"; readonly incarnation: string }
  | { readonly kind: "node-kill"; readonly incarnation: string }
  | { readonly kind: "netmap-get" }
  | { readonly kind: "netmap-discover" }
  | { readonly kind: "topology-walk" }
  | { readonly kind: "file-push"; readonly bodyBytes: number; readonly name: string }
  | { readonly kind: "file-pull"; readonly name: string }
  | { readonly kind: "file-get"; readonly name: string }
  | { readonly kind: "file-stat"; readonly name: string }
  | { readonly kind: "file-delete"; readonly name: string }
  | { readonly kind: "file-list" }
  | {
    readonly kind: "file-range";
    readonly offset: number;
    /** `undefined`: all that is left. */
    readonly count: number | undefined;
    /** `undefined`: the current one. */
    readonly version: string | undefined;
    readonly name: string;
  }
  | {
    /** Its body comes only after an answer, so it has no `bodyBytes`. */
    readonly kind: "file-put";
    readonly size: number;
    /** Lower-case hex; `undefined` when the client does not say. */
    readonly sha256: string | undefined;
    readonly condition: WriteCondition;
    readonly name: string;
  }
  | {
    readonly kind: "file-delete-if";
    readonly condition: WriteCondition;
    readonly name: string;
  }
  | {
    readonly kind: "file-page";
    readonly limit: number;
    /** `""` is before all names. */
    readonly after: string;
    readonly prefix: string;
  }
  | { readonly kind: "ring-forward"; readonly ttl: number; readonly message: string };

/** What nodes of either program send each other. Part indexes count from 0. */
export type NodeCommand =
  | { readonly kind: "node-heal-hop"; readonly token: string; readonly start: NodeAddress }
  | { readonly kind: "node-heal-done"; readonly token: string }
  | {
    readonly kind: "topology-hop";
    readonly token: string;
    readonly start: NodeAddress;
    readonly edges: readonly Edge[];
  }
  | { readonly kind: "topology-done"; readonly token: string; readonly edges: readonly Edge[] }
  | { readonly kind: "topology-set"; readonly edges: readonly Edge[] }
  | {
    readonly kind: "netmap-hop";
    readonly token: string;
    readonly start: NodeAddress;
    readonly entries: readonly NetmapEntry[];
  }
  | {
    readonly kind: "netmap-done";
    readonly token: string;
    readonly entries: readonly NetmapEntry[];
  }
  | { readonly kind: "netmap-set"; readonly entries: readonly NetmapEntry[] }
  | {
    readonly kind: "file-relay-stream";
    readonly token: string;
    readonly start: NodeAddress;
    readonly fileBytes: number;
    readonly parts: number;
    readonly index: number;
    readonly name: string;
    /** Derived: the bytes of part `index` and of every later part. */
    readonly bodyBytes: number;
  }
  | {
    readonly kind: "file-relay-blob";
    readonly token: string;
    readonly start: NodeAddress;
    readonly bodyBytes: number;
    readonly name: string;
  }
  | { readonly kind: "file-get-chunk"; readonly chunk: string }
  | { readonly kind: "file-get-backup-chunk"; readonly chunk: string }
  | { readonly kind: "file-notify-chunk-saved"; readonly chunk: string }
  | { readonly kind: "file-get-chunk-for-backup"; readonly chunk: string }
  | { readonly kind: "file-tags-set"; readonly tags: readonly Tag[] };

/** What only our nodes send each other; the table above says what they answer. */
export type OwnCommand =
  | { readonly kind: "node-restrict" }
  | { readonly kind: "node-scrub-local" }
  | { readonly kind: "node-metrics" }
  | {
    readonly kind: "ring-ping";
    readonly from: NodeAddress;
    readonly incarnation: string;
    readonly viewDigest: string;
    readonly catalogDigest: string;
  }
  | { readonly kind: "ring-view"; readonly bodyBytes: number }
  | { readonly kind: "ring-stopping"; readonly seconds: number }
  | { readonly kind: "ring-events"; readonly after: string }
  | {
    readonly kind: "file-stage";
    readonly token: string;
    readonly part: number;
    readonly copy: number;
    readonly bodyBytes: number;
    readonly name: string;
  }
  | {
    readonly kind: "file-stage-all";
    readonly token: string;
    readonly fileBytes: number;
    readonly bodyBytes: number;
    readonly name: string;
  }
  | { readonly kind: "file-commit"; readonly bodyBytes: number }
  | { readonly kind: "file-abort"; readonly pushId: string }
  | { readonly kind: "file-push-state"; readonly pushId: string }
  | {
    readonly kind: "file-open";
    readonly pushId: string;
    readonly part: number;
    readonly name: string;
  }
  | { readonly kind: "file-read"; readonly offset: number; readonly count: number }
  | {
    readonly kind: "file-fetch";
    readonly pushId: string;
    readonly parts: readonly number[];
  }
  | { readonly kind: "catalog-pull"; readonly bodyBytes: number }
  | { readonly kind: "catalog-forget"; readonly bodyBytes: number };

/** The `kind` of a command. */
export type CommandKind = Command["kind"];
