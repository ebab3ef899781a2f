import { lingeringClose } from "../net/lingering_close.ts";
import { writeText } from "../net/write_all.ts";
import type { SpliceEnd } from "./splice.ts";

/** The statuses of what is refused before it is a request that the server could answer. */
const refusals = {
  414: "HTTP/1.1 414 URI Too Long\r\n",
  503: "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n",
} as const;

/** Answers a client that speaks HTTP, without a look at its request, and closes. */
export async function refuseHttp(
  client: SpliceEnd,
  status: keyof typeof refusals,
): Promise<void> {
  const head = `${refusals[status]}Content-Length: 0\r\nConnection: close\r\n\r\n`;
  await writeText(client.conn, head);
  await lingeringClose(client.conn, client.reader);
}

/**
 * Whether the first bytes of an endless line may be those of a request: a method, a space and a slash
 * or a scheme. No command of the line protocol has such a second word.
 */
export function beginsRequest(prefix: Uint8Array): boolean {
  const start = String.fromCharCode(...prefix.subarray(0, 24));
  return /^[A-Z]{3,16} (\/|https?:\/\/)/.test(start);
}
