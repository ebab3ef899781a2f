import { type NodeAddress, parseAddress } from "../protocol/address.ts";
import { parseCount } from "../protocol/count.ts";

/** One flag of a subcommand: how it is written, explained and read. */
export interface Flag<T> {
  /** One letter, for `-p` beside `--port`. */
  readonly short?: string;
  /** What stands for the value in the help; a flag without one is a switch. */
  readonly placeholder?: string;
  /** One line of help, without a full stop. */
  readonly help: string;
  /** What is used when the flag is not given, as the help shows it. */
  readonly fallback?: string;
  /** Not in the help: for the program's own use, or accepted without effect. */
  readonly hidden?: boolean;
  /** What a shell completes the value with; nothing by default. */
  readonly completes?: Completion;
  /** Whether the value is a list with commas, which a configuration may give as a list. */
  readonly isList?: boolean;
  /**
   * The value, from the text behind the flag; `undefined` when the flag was not given. A switch that
   * is set reads the text `true`. `wanted` of the {@linkcode BadValue} says what would have been right.
   */
  readonly read: (text: string | undefined) => T;
}

/** What a shell completes with: the names of files, of directories, or these words. */
export type Completion = "file" | "directory" | readonly string[];

/** The flags of a subcommand by their long names. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** What {@linkcode Flags} read: a value for each name. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

/** Thrown by `read` on a value that does not fit. */
export class BadValue extends Error {
  override readonly name = "BadValue";
  /** @param wanted What would fit: "a port from 1 to 65535". */
  constructor(readonly wanted: string) {
    super(`not ${wanted}`);
  }
}

/** Thrown on a command line that cannot be run; the message is one line for its user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What every builder takes beside what its kind of value needs. */
export interface FlagText {
  readonly short?: string;
  readonly help: string;
  readonly placeholder?: string;
  readonly hidden?: boolean;
  readonly completes?: Completion;
}

/** Bounds of an {@linkcode integerFlag}. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  /** The thing that is counted, with its article: "a port". Default: "a whole number". */
  readonly noun?: string;
}

/** A flag whose value is a whole number in a range, `fallback` when it is not given. */
export function integerFlag(
  text: FlagText,
  range: IntegerRange & { readonly fallback: number },
): Flag<number>;
/** A flag whose value is a whole number in a range; without `fallback` it may be left out. */
export function integerFlag(text: FlagText, range: IntegerRange): Flag<number | undefined>;
export function integerFlag(
  text: FlagText,
  range: IntegerRange & { readonly fallback?: number },
): Flag<number | undefined> {
  return {
    placeholder: "N",
    ...text,
    ...(range.fallback !== undefined && { fallback: String(range.fallback) }),
    read: (value) => value === undefined ? range.fallback : readInteger(value, range),
  };
}

/** A flag whose value is a port; without `fallback` it may be left out. */
export function portFlag(text: FlagText): Flag<number | undefined>;
/** A flag whose value is a port, `fallback` when it is not given. */
export function portFlag(text: FlagText, fallback: number): Flag<number>;
export function portFlag(text: FlagText, fallback?: number): Flag<number | undefined> {
  const range = { min: 1, max: 65535, noun: "a port" };
  const full = { placeholder: "PORT", ...text };
  return fallback === undefined ? integerFlag(full, range) : integerFlag(full, {
    ...range,
    fallback,
  });
}

/** A flag whose value is any text but none; without `fallback` it may be left out. */
export function textFlag(text: FlagText): Flag<string | undefined>;
/** A flag whose value is any text but none, `fallback` when it is not given. */
export function textFlag(text: FlagText, fallback: string): Flag<string>;
export function textFlag(text: FlagText, fallback?: string): Flag<string | undefined> {
  return {
    placeholder: "TEXT",
    ...text,
    ...(fallback !== undefined && { fallback }),
    read: (value) => value ?? fallback,
  };
}

/** A flag whose value is a host name or an IP address. */
export function hostFlag(text: FlagText): Flag<string | undefined>;
/** A flag whose value is a host name or an IP address, `fallback` when it is not given. */
export function hostFlag(text: FlagText, fallback: string): Flag<string>;
export function hostFlag(text: FlagText, fallback?: string): Flag<string | undefined> {
  return {
    placeholder: "HOST",
    ...text,
    ...(fallback !== undefined && { fallback }),
    read: (value) => value === undefined ? fallback : readHost(value),
  };
}

/** A flag whose value is one of some words. */
export function choiceFlag<T extends string>(
  text: FlagText,
  choice: { readonly words: readonly T[]; readonly fallback: T },
): Flag<T> {
  return {
    placeholder: choice.words.join("|"),
    completes: choice.words,
    ...text,
    fallback: choice.fallback,
    read(value) {
      if (value === undefined) return choice.fallback;
      const word = choice.words.find((word) => word === value);
      if (word === undefined) throw new BadValue(orList(choice.words));
      return word;
    },
  };
}

/** A flag whose value is `HOST:PORT`. */
export function addressFlag(text: FlagText): Flag<NodeAddress | undefined> {
  return {
    placeholder: "HOST:PORT",
    ...text,
    read: (value) => value === undefined ? undefined : readAddress(value),
  };
}

/** A flag whose value is `HOST:PORT,HOST:PORT,…`. */
export function addressesFlag(text: FlagText): Flag<readonly NodeAddress[] | undefined> {
  return {
    placeholder: "HOST:PORT,…",
    isList: true,
    ...text,
    read(value) {
      if (value === undefined) return undefined;
      return [...new Set(value.split(",").map((item) => readAddress(item.trim())))];
    },
  };
}

/** A flag whose value is `HOST,HOST,…`; they come out in lower case. */
export function hostsFlag(text: FlagText): Flag<readonly string[] | undefined> {
  return {
    placeholder: "HOST,…",
    isList: true,
    ...text,
    read(value) {
      if (value === undefined) return undefined;
      return [...new Set(value.split(",").map((item) => readHost(item.trim()).toLowerCase()))];
    },
  };
}

/** A flag whose value is `ORIGIN,ORIGIN,…`, as browsers write them; `null` is the one of local files. */
export function originsFlag(text: FlagText): Flag<readonly string[] | undefined> {
  return {
    placeholder: "ORIGIN,…",
    isList: true,
    ...text,
    read(value) {
      if (value === undefined) return undefined;
      return [...new Set(value.split(",").map((item) => readOrigin(item.trim())))];
    },
  };
}

/** A flag without a value. */
export function switchFlag(text: Omit<FlagText, "placeholder">): Flag<boolean> {
  return { ...text, read: (value) => value === "true" };
}

function readInteger(value: string, range: IntegerRange): number {
  const number = parseCount(value);
  if (number !== undefined && number >= range.min && number <= range.max) return number;
  const bounds = range.max === Number.MAX_SAFE_INTEGER
    ? `of ${range.min} or more`
    : `from ${range.min} to ${range.max}`;
  throw new BadValue(`${range.noun ?? "a whole number"} ${bounds}`);
}

function readHost(value: string): string {
  const bare = value.replace(/^\[(.*)\]$/, "$1");
  const bracketed = bare.includes(":") ? `[${bare}]` : bare;
  if (parseAddress(`${bracketed}:1`) === undefined) throw new BadValue("a host name or IP address");
  return bare;
}

function readOrigin(value: string): string {
  if (value === "null") return value;
  const url = /^https?:\/\//i.test(value) ? URL.parse(value) : null;
  // A path, a query or a user is no part of an origin, and `*` would let in everybody.
  if (url === null || url.href !== `${url.origin}/`) {
    throw new BadValue("an origin, as in https://example.org, or null");
  }
  return url.origin;
}

function readAddress(value: string): NodeAddress {
  const address = parseAddress(value);
  if (address === undefined) throw new BadValue("HOST:PORT, as in 127.0.0.1:7000");
  return address;
}

function orList(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
