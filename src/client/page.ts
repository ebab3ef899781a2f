import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { type FilePageRow, pageBytesMax, parseFilePage } from "../protocol/file_page.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";
import { listMs } from "./deadlines.ts";

/** Which files a page tells of. */
export interface PageWish {
  /** How many at most. */
  readonly limit: number;
  /** The name before the first; `""` is before all. */
  readonly after: string;
  /** What their names begin with. */
  readonly prefix: string;
}

/** Asks for some files, in the order of their names. */
export async function askPage(peer: PeerConnection, wish: PageWish): Promise<FilePageRow[]> {
  const answer = await peer.request({ kind: "file-page", ...wish }, { deadlineMs: listMs });
  const bytes = parseCountedReply("PAGE", answer, pageBytesMax);
  if (bytes === undefined) throw new PeerError(peer.address, "unexpected answer to FILE PAGE");
  const buffer = new Uint8Array(bytes);
  await peer.readExactly(buffer);
  const rows = parseFilePage(new TextDecoder().decode(buffer));
  if (rows === undefined) throw new PeerError(peer.address, "the page of files cannot be read");
  return rows;
}
