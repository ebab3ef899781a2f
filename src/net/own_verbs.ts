import { decodeLine } from "../protocol/parse.ts";
import { looksLikeHttp } from "../protocol/browser.ts";
import { idleMs, lineBytesMax } from "../protocol/limits.ts";
import { errorReply, okReply } from "../protocol/replies.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { GuardedConnection } from "./watchdog.ts";
import { writeText } from "./write_all.ts";

/** A process of the program that is no node, and answers `<NOUN> INFO` and `<NOUN> STOP <id>`. */
export interface OwnVerbs {
  /** `GATEWAY` or `SUPERVISOR`. */
  readonly noun: string;
  /** What `STOP` has to name, so that only who asked `INFO` before can stop it. */
  readonly id: string;
  /** The answer to `INFO`, `OK` included. */
  info(): string;
  /** Begins to stop; the `OK` is sent before the process ends. */
  stop(): void;
}

/** Who asks; the reader may hold the first line already. */
export interface OwnVerbsClient {
  readonly conn: GuardedConnection;
  readonly reader: ByteReader;
}

/** Whether a first line is for the process itself. */
export function isOwnLine(line: string, noun: string): boolean {
  return line.split(" ", 1)[0]?.toUpperCase() === noun;
}

/** Answers the lines of one connection until it ends, is idle too long, or speaks HTTP. */
export async function serveOwnVerbs(client: OwnVerbsClient, verbs: OwnVerbs): Promise<void> {
  for (let lines = 0; lines < linesMax; lines++) {
    client.conn.setDeadline(idleMs);
    const bytes = await client.reader.readLine(lineBytesMax);
    if (bytes === "eof" || bytes === "too-long") return;
    const line = decodeLine(bytes);
    if (line !== undefined && looksLikeHttp(line)) return;
    const { reply, stop } = answerOwnLine(line ?? "", verbs);
    await writeText(client.conn, reply);
    if (stop) return verbs.stop();
  }
}

/** What a line is answered, and whether the process then stops. */
export function answerOwnLine(
  line: string,
  verbs: OwnVerbs,
): { readonly reply: string; readonly stop: boolean } {
  const [noun = "", verb = "", ...rest] = line.split(" ");
  const parameter = rest.join(" ");
  if (noun.toUpperCase() !== verbs.noun) {
    return { reply: errorReply(`unknown command namespace: '${noun.slice(0, 80)}'`), stop: false };
  }
  switch (verb.toUpperCase()) {
    case "INFO":
      return { reply: verbs.info(), stop: false };
    case "STOP":
      if (parameter === verbs.id) return { reply: okReply, stop: true };
      return { reply: errorReply(`${verbs.noun} STOP needs the id that INFO tells`), stop: false };
    default:
      return { reply: errorReply(`unknown ${verbs.noun} command`), stop: false };
  }
}

/** Questions on one connection; more are nobody's honest need. */
const linesMax = 1_000;
