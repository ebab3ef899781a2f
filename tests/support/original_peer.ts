import { ByteReader } from "../../src/net/byte_reader.ts";
import { writeAll } from "../../src/net/write_all.ts";

/** How long another node may take, in ms. */
const patienceMs = 5_000;

/** A connection to another node, with what a stand-in of the original needs of it. */
export interface PeerCall {
  readonly reader: ByteReader;
  write(bytes: Uint8Array): Promise<void>;
  /** The next line without its end. @throws {Error} when the connection ends first */
  line(): Promise<string>;
}

/** How a stand-in of the original reaches other nodes: a connection for every command. */
export class OriginalPeer {
  /** Says a line and gives the first line of the answer. @throws {Error} when there is none */
  async ask(port: number, line: string): Promise<string> {
    return await this.call(port, line, (call) => call.line());
  }

  /** Says a line and leaves the rest to `talk`. */
  async call<T>(port: number, line: string, talk: (call: PeerCall) => Promise<T>): Promise<T> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    let isOpen = true;
    const close = () => {
      if (isOpen) conn.close();
      isOpen = false;
    };
    const late = setTimeout(close, patienceMs);
    const reader = new ByteReader(conn);
    try {
      await writeAll(conn, new TextEncoder().encode(`${line}\n`));
      return await talk({
        reader,
        write: (bytes) => writeAll(conn, bytes),
        line: async () => {
          const answer = await reader.readLine(64 * 1024);
          if (typeof answer === "string") throw new Error(`${port} did not answer '${line}'`);
          return new TextDecoder().decode(answer);
        },
      });
    } finally {
      clearTimeout(late);
      close();
    }
  }
}
