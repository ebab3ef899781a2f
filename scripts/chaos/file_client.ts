import { sha256 } from "./content.ts";
import { BrokenError, LineClient, type LineClientOptions } from "./line_client.ts";

/** How an operation went. */
export type Outcome<T> = { readonly kind: "ok"; readonly value: T } | Failure;

/** Why an operation did not go well. */
export type Failure =
  /** The ring said no; the text is what followed `ERR`. */
  | { readonly kind: "refused"; readonly error: string }
  /** The connection ended or stalled before the answer was there: nobody knows. */
  | { readonly kind: "broken"; readonly reason: string };

/** What was read of a file. */
export interface Got {
  /** `undefined`: there is no such file. */
  readonly sha256: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A row of `FILE LIST`. */
export interface Listed {
  readonly name: string;
  readonly size: number;
}

/** A file with a name to be pushed. */
export interface PushedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The connection is closed after so many bytes of the body. */
  readonly cutAt?: number;
}

/** The error of a file that is not there. */
export const notFound = "file not found";

/** Pieces in which a body is sent, in bytes. */
const pieceBytes = 256 * 1024;

/** One address of the ring, as a client uses it; each operation has a connection of its own. */
export class FileClient {
  readonly port: number;
  readonly #options: LineClientOptions;

  constructor(port: number, options: LineClientOptions) {
    this.port = port;
    this.#options = options;
  }

  /** `FILE PUSH`. */
  async push({ name, bytes, cutAt }: PushedFile): Promise<Outcome<undefined>> {
    return await this.#run<undefined>(async (client) => {
      await client.send(`FILE PUSH ${bytes.length} ${name}\n`);
      const answer = client.readAnswer();
      // The answer may say no while the body is still on its way; then the rest of it is in vain.
      answer.catch(() => {/* awaited below */});
      const end = cutAt ?? bytes.length;
      let isAnswered = false;
      const settle = () => isAnswered = true;
      answer.then(settle, settle);
      for (let at = 0; at < end && !isAnswered; at += pieceBytes) {
        const piece = bytes.subarray(at, Math.min(end, at + pieceBytes));
        const failure = await client.send(piece).then(() => undefined, (error: unknown) => error);
        if (failure !== undefined) break;
      }
      if (cutAt !== undefined) {
        client[Symbol.dispose]();
        await answer.catch(() => {/* it was not waited for */});
        return { kind: "broken", reason: "cut by this client" };
      }
      return refusal(await answer) ?? { kind: "ok", value: undefined };
    });
  }

  /** `FILE DELETE`; false when there is no such file. */
  async delete(name: string): Promise<Outcome<boolean>> {
    return await this.#run<boolean>(async (client) => {
      await client.send(`FILE DELETE ${name}\n`);
      const lines = await client.readAnswer();
      if (lines[0] === `ERR ${notFound}`) return { kind: "ok", value: false };
      return refusal(lines) ?? { kind: "ok", value: true };
    });
  }

  /** `FILE GET`. What it gives is complete, whatever is in it. */
  async get(name: string): Promise<Outcome<Got>> {
    return await this.#run<Got>(async (client) => {
      await client.send(`FILE GET ${name}\n`);
      const header = await client.needLine();
      if (header === `ERR ${notFound}`) return { kind: "ok", value: nothing };
      const refused = refusal([header]);
      if (refused !== undefined) return refused;
      const [, sizeText, promised, named] =
        /^FILE ([0-9]+) [0-9A-Z]{26} ([0-9a-f]{64}|-) (.*)$/.exec(header) ?? [];
      if (named !== name) return { kind: "broken", reason: `answered '${header}'` };
      const size = Number(sizeText);
      const bytes = await client.readBytes(size);
      if (bytes.length < size) {
        return { kind: "broken", reason: `ended after ${bytes.length} of ${size} bytes` };
      }
      const got = sha256(bytes);
      // A ring that contradicts itself is as wrong as one that contradicts the model.
      const isOne = got === promised;
      return { kind: "ok", value: { sha256: isOne ? got : `${got} against ${promised}`, bytes } };
    });
  }

  /** `FILE PULL`: all bytes until the connection ends, right or cut short. */
  async pull(name: string): Promise<Outcome<Uint8Array<ArrayBuffer>>> {
    return await this.#run(async (client) => {
      await client.send(`FILE PULL ${name}\n`);
      return { kind: "ok", value: await client.readToEnd() };
    });
  }

  /** `FILE LIST`. */
  async list(): Promise<Outcome<Listed[]>> {
    return await this.#run<Listed[]>(async (client) => {
      await client.send("FILE LIST\n");
      const text = new TextDecoder().decode(await client.readToEnd());
      const refused = refusal(text.split("\n", 1));
      if (refused !== undefined) return refused;
      const files = parseList(text);
      return files === undefined
        ? { kind: "broken", reason: `the list ended after ${text.length} characters` }
        : { kind: "ok", value: files };
    });
  }

  /** `FILE STAT`: how many copies of how many parts are in place. `undefined`: no such file. */
  async stat(name: string): Promise<Outcome<{ readonly missing: string[] } | undefined>> {
    return await this.#run<{ readonly missing: string[] } | undefined>(async (client) => {
      await client.send(`FILE STAT ${name}\n`);
      const lines = await client.readAnswer();
      if (lines[0] === `ERR ${notFound}`) return { kind: "ok", value: undefined };
      const refused = refusal(lines);
      if (refused !== undefined) return refused;
      const parts = lines.filter((line) => /^part [0-9]+: /.test(line));
      const missing = parts.filter((line) => !/: \S+ ok(, \S+ ok)+$/.test(line));
      return { kind: "ok", value: { missing } };
    });
  }

  /** Any command whose answer is lines and `OK`. */
  async ask(line: string): Promise<Outcome<string[]>> {
    return await this.#run<string[]>(async (client) => {
      await client.send(`${line}\n`);
      const lines = await client.readAnswer();
      return refusal(lines) ?? { kind: "ok", value: lines };
    });
  }

  async #run<T>(use: (client: LineClient) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      using client = await LineClient.connect(this.port, this.#options);
      return await use(client);
    } catch (error) {
      if (error instanceof BrokenError) return { kind: "broken", reason: error.message };
      throw error;
    }
  }
}

const nothing: Got = { sha256: undefined, bytes: new Uint8Array(0) };

function refusal(lines: readonly string[]): Failure | undefined {
  const error = lines.find((line) => line.startsWith("ERR"));
  return error === undefined ? undefined : { kind: "refused", error: error.slice(4) };
}

/** Reads the CSV of a list; `undefined` when it is cut short. */
export function parseList(text: string): Listed[] | undefined {
  if (!text.startsWith("name,start,size\n") || !text.endsWith("\n")) return undefined;
  const rows = text.slice(0, -1).split("\n").slice(1);
  const files = rows.map((row) => {
    const [, quoted, plain, size] =
      /^(?:"((?:[^"]|"")*)"|([^",]*)),(?:[^",]+),([0-9]+)$/.exec(row) ?? [];
    const name = quoted?.replaceAll('""', '"') ?? plain;
    return name === undefined ? undefined : { name, size: Number(size) };
  });
  return files.includes(undefined) ? undefined : files.filter((file) => file !== undefined);
}
