import { type NodeAddress, parseAddress } from "./address.ts";
import { anyVersion, parseCondition, type WriteCondition } from "./condition.ts";
import { parseCount } from "./count.ts";
import { decodeText } from "./encoded_text.ts";
import type { ListOptions } from "./lists.ts";
import { isId, type NameResult, normalizeChunk, normalizeName } from "./names.ts";
import { isUlid } from "./ulid.ts";

/**
 * The parameters of one command line, taken from left to right. The first fault is kept in
 * `error`, and reading goes on with stand-in values, so that the length of a body that follows a
 * refused command is found where it can be.
 */
export class Fields {
  /** What is wrong with the line, without `ERR `; `undefined` so far nothing. */
  error: string | undefined;
  /** Bytes that follow the line; `undefined` when a body follows but nobody can say how long. */
  bodyBytes: number | undefined = 0;
  /** How nodes are named in the line's lists. */
  readonly listOptions: ListOptions;
  readonly #command: string;
  #rest: string | undefined;

  /** Reads `rest`, what follows `command` (`NOUN VERB`) and a space; `undefined` without the space. */
  constructor(command: string, rest: string | undefined, listOptions: ListOptions) {
    this.#command = command;
    this.#rest = rest;
    this.listOptions = listOptions;
  }

  /** Says that a body follows the line; until its length is read, it is unknown. */
  expectBody(): void {
    this.bodyBytes = undefined;
  }

  /** Notes a fault, unless there is one already. */
  fail(error: string): void {
    this.error ??= error;
  }

  /** Notes that a parameter is not what it should be. */
  failInvalid(what: string): void {
    this.fail(`invalid ${what} for ${this.#command}`);
  }

  /** A parameter without spaces and control characters, whatever else it says. */
  token(what: string): string {
    const text = this.#next() ?? "";
    if (text === "") this.fail(`missing ${what} for ${this.#command}`);
    // deno-lint-ignore no-control-regex -- they would end up in logs and other nodes' lines
    if (/[\x00-\x1f\x7f]/.test(text)) this.failInvalid(what);
    return text;
  }

  /** A push id, an incarnation or a digest. */
  id(what: string): string {
    const text = this.token(what);
    if (!isId(text)) this.failInvalid(what);
    return text;
  }

  /** The address of a node, always `host:port`. */
  address(what: string): NodeAddress {
    const address = parseAddress(this.token(what));
    if (address !== undefined) return address;
    this.failInvalid(what);
    return "" as NodeAddress;
  }

  /** A number of at most `max`. A missing one is an invalid one; 0 stands in for both. */
  count(what: string, max?: number): number {
    const count = this.number(max);
    if (count === undefined) this.failInvalid(what);
    return count ?? 0;
  }

  /** A number of at most `max`, or `undefined` without a fault noted. */
  number(max?: number): number | undefined {
    return parseCount(this.#next() ?? "", max);
  }

  /** A number, or `-` for none. */
  countOrNone(what: string): number | undefined {
    const text = this.token(what);
    if (text === "-") return undefined;
    const count = parseCount(text);
    if (count === undefined) this.failInvalid(what);
    return count;
  }

  /** A version, or `-` for none. */
  versionOrNone(what: string): string | undefined {
    return this.#orNone(what, isUlid);
  }

  /** A SHA-256 in lower-case hex, or `-` for none. */
  sha256OrNone(what: string): string | undefined {
    return this.#orNone(what, (text) => /^[0-9a-f]{64}$/.test(text));
  }

  /** A condition on what is replaced. */
  condition(): WriteCondition {
    const condition = parseCondition(this.token("condition"));
    if (condition === undefined) this.failInvalid("condition");
    return condition ?? anyVersion;
  }

  /** A text without a line end, percent-encoded; `-` is the empty one. */
  encodedText(what: string): string {
    const text = decodeText(this.token(what));
    if (text === undefined) this.failInvalid(what);
    return text ?? "";
  }

  /** One to `itemsMax` numbers of at most `max`, with commas between them. */
  counts(what: string, { max, itemsMax }: { max: number; itemsMax: number }): number[] {
    const counts: number[] = [];
    for (const item of (this.#next() ?? "").split(",", itemsMax + 1)) {
      const count = parseCount(item, max);
      if (count === undefined || counts.length === itemsMax) {
        this.failInvalid(what);
        break;
      }
      counts.push(count);
    }
    return counts;
  }

  /** The number that is the length of the body. Above `max` it is refused, but it is still known. */
  body(what: string, max: number = Number.MAX_SAFE_INTEGER): number {
    this.bodyBytes = this.number();
    if (this.bodyBytes === undefined || this.bodyBytes > max) this.failInvalid(what);
    return this.bodyBytes ?? 0;
  }

  /** A file name, the rest of the line. */
  fileName(): string {
    return this.#name("file name", normalizeName);
  }

  /** The name of a chunk, the rest of the line. */
  chunkName(): string {
    return this.#name("chunk name", normalizeChunk);
  }

  /** The rest of the line, which may be empty. */
  rest(): string {
    const rest = this.#rest ?? "";
    this.#rest = undefined;
    return rest;
  }

  /** A list, the rest of the line. Spaces at its end are none of it. */
  list<T>(what: string, parse: (text: string, options: ListOptions) => T[] | undefined): T[] {
    const list = parse(this.rest().trimEnd(), this.listOptions);
    if (list === undefined) this.failInvalid(what);
    return list ?? [];
  }

  /** Refuses anything that is left, but for spaces. */
  end(): void {
    if (this.rest().trimEnd() !== "") this.fail(`too many parameters for ${this.#command}`);
  }

  #orNone(what: string, fits: (text: string) => boolean): string | undefined {
    const text = this.token(what);
    if (text === "-") return undefined;
    if (!fits(text)) this.failInvalid(what);
    return text;
  }

  #next(): string | undefined {
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    const space = rest.indexOf(" ");
    this.#rest = space < 0 ? undefined : rest.slice(space + 1);
    return space < 0 ? rest : rest.slice(0, space);
  }

  #name(what: string, normalize: (raw: string) => NameResult): string {
    const raw = this.rest();
    if (raw === "") {
      this.fail(`missing ${what} for ${this.#command}`);
      return "";
    }
    const result = normalize(raw);
    if (result.ok) return result.name;
    this.fail(result.error);
    return "";
  }
}
