/**
 * What a client does, again and again: one command of the line protocol. `store` is a push that is not over
 * before every copy is a file of a node: other programs say OK earlier.
 */
export type Operation = "push" | "store" | "pull" | "get";

/** What a load process is told: one line of JSON on its standard input. */
export interface LoadJob {
  readonly operation: Operation;
  /** `host:port`. Where there are several, each push is shared between them in equal parts. */
  readonly addresses: readonly string[];
  /** Bytes of a file. */
  readonly size: number;
  /**
   * One for each client: a push makes `<prefix>-0`, `<prefix>-1`, …; a pull asks for the names from 0 to
   * `nameCount - 1` in turn.
   */
  readonly namePrefixes: readonly string[];
  /** Names of a prefix that a pull may ask for; a push does not look at it. */
  readonly nameCount: number;
  /** Calls of each client, at most. At least 1. */
  readonly callsMax: number;
  /** Milliseconds after which no client begins another call. */
  readonly lengthMs: number;
  /** Milliseconds after which calls under way fail. */
  readonly deadlineMs: number;
  /** Take the SHA-256 of each file. */
  readonly hashed: boolean;
  /** Where the nodes keep their files, for `store`: one directory a node. */
  readonly nodeDirectories?: readonly string[];
}

/** What a load process answers when its clients are connected; it begins at the next line it gets. */
export interface LoadReady {
  readonly kind: "ready";
}

/** What a load process answers when all its clients are done. */
export interface LoadDone {
  readonly kind: "done";
  /** Milliseconds of every call. */
  readonly callsMs: readonly number[];
  /** When the first call began and the last one ended: milliseconds since 1970, with a fraction. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** Lower-case hex of each call, in the order of the calls, if asked for. */
  readonly sha256: readonly string[];
}

/** What a load process answers when a call failed. */
export interface LoadFailed {
  readonly kind: "failed";
  readonly reason: string;
}

/** Every line that a load process writes. */
export type LoadAnswer = LoadReady | LoadDone | LoadFailed;
