import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { splitAddress } from "../protocol/address.ts";
import { type FileListRow, parseFileList } from "../protocol/file_list.ts";
import { parseErrorReply } from "../protocol/replies.ts";
import { listMs } from "./deadlines.ts";

/** The answer to `FILE LIST` that is kept in memory: about five million files. */
export const listBytesMax = 256 * 1024 * 1024;

/**
 * Asks for the list of all files, as the CSV text that the ring answers. The node closes the
 * connection afterwards, so this is the last question on it.
 */
export async function listFilesText(peer: PeerConnection): Promise<string> {
  peer.setDeadline(listMs);
  await peer.send({ kind: "file-list" });
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  const pieces: string[] = [];
  let bytes = 0;
  for (;;) {
    const count = await peer.readInto(buffer);
    if (count === null) break;
    bytes += count;
    if (bytes > listBytesMax) throw new PeerError(peer.address, "the list of files does not end");
    pieces.push(decoder.decode(buffer.subarray(0, count), { stream: true }));
  }
  const text = pieces.join("") + decoder.decode();
  const [firstLine = ""] = text.split("\n", 1);
  const refusal = parseErrorReply(firstLine);
  if (refusal !== undefined) throw new PeerError(peer.address, refusal);
  return text;
}

/** Asks for the list of all files. */
export async function listFiles(peer: PeerConnection): Promise<FileListRow[]> {
  const text = await listFilesText(peer);
  const { hostname } = splitAddress(peer.address);
  const files = parseFileList(text, { hostname });
  if (files === undefined) throw new PeerError(peer.address, "the list of files was cut short");
  return files;
}
