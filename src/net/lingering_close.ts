import { drainBytesMax as defaultDrainBytesMax } from "../protocol/limits.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { GuardedConnection } from "./watchdog.ts";

/** How long a refused peer is listened to. */
export interface LingeringCloseOptions {
  /** Bytes read and thrown away at most. */
  readonly drainBytesMax?: number;
  /** Milliseconds at most. */
  readonly ms?: number;
}

/**
 * Closes a connection so that the peer gets the last reply, whatever it is still sending. A socket
 * that is closed with unread input resets the connection, and the reset may overtake the reply: so
 * this ends its own side first, reads until the peer ends or a limit is reached, then closes.
 *
 * Never throws: what happens to a connection that is being closed matters to nobody.
 */
export async function lingeringClose(
  conn: GuardedConnection,
  reader: ByteReader,
  { drainBytesMax = defaultDrainBytesMax, ms = 1_000 }: LingeringCloseOptions = {},
): Promise<void> {
  conn.setDeadline(ms);
  try {
    await conn.closeWrite();
    await reader.discard(drainBytesMax);
  } catch {
    // The peer has reset the connection, or the time is up.
  } finally {
    conn.close();
  }
}
