import { writeText } from "../net/write_all.ts";
import { lingeringClose } from "../net/lingering_close.ts";
import type { SpliceEnd } from "./splice.ts";

const body = "The gateway speaks the line protocol, not HTTP yet: try 'ouroboros list'.\n";

const answer = [
  "HTTP/1.1 501 Not Implemented",
  "Content-Type: text/plain; charset=utf-8",
  `Content-Length: ${body.length}`,
  "Connection: close",
  "",
  body,
].join("\r\n");

/** Answers a connection whose first line is HTTP, nothing of it consumed yet, and closes it. */
export async function serveHttp(client: SpliceEnd): Promise<void> {
  await writeText(client.conn, answer);
  await lingeringClose(client.conn, client.reader);
}
