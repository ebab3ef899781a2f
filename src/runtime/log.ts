import { BaseHandler } from "@std/log/base-handler";
import type { LevelName } from "@std/log/levels";
import { Logger as StdLogger, type LogRecord } from "@std/log/logger";
import { RotatingFile } from "./rotating_file.ts";

/** Names of the log levels, most talkative first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values that explain an event; an `Error` is written as its message and its causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a part of the program tells what happens: an event in a few words, and fields. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** How {@linkcode createLogger} logs. */
export interface LoggerOptions {
  /** The least important messages that are logged. */
  readonly level: LogLevel;
  /** JSON lines instead of text. */
  readonly json: boolean;
  /** Who logs, such as `node 7000`. */
  readonly name: string;
  /** A file that is kept small, instead of stderr. */
  readonly file?: string;
}

/** Makes the logger of a process; dispose closes its file. Logging never throws. */
export function createLogger(options: LoggerOptions): Logger & Disposable {
  const file = options.file === undefined ? undefined : new RotatingFile(options.file);
  const colors = file === undefined && !Deno.noColor && Deno.stderr.isTerminal();
  const format = options.json ? formatJson : (record: LogRecord) => formatText(record, colors);
  const levelName = levelNames[options.level];
  const write = file === undefined ? writeStderr : (line: string) => file.writeLine(line);
  const handler = new LineHandler(levelName, format, write);
  const logger = new StdLogger(options.name, levelName, { handlers: [handler] });
  return {
    debug: (event, fields) => void logger.debug(event, fields),
    info: (event, fields) => void logger.info(event, fields),
    warn: (event, fields) => void logger.warn(event, fields),
    error: (event, fields) => void logger.error(event, fields),
    [Symbol.dispose]: () => file?.close(),
  };
}

/** Drops everything; for tests and for callers that were given no logger. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** Hands each formatted record to a function. */
class LineHandler extends BaseHandler {
  readonly #write: (line: string) => void;

  constructor(
    levelName: LevelName,
    formatter: (record: LogRecord) => string,
    write: (line: string) => void,
  ) {
    super(levelName, { formatter });
    this.#write = write;
  }

  override log(line: string): void {
    this.#write(line);
  }
}

/** One JSON object a line: time, level, name, event, then the fields, which cannot replace those. */
function formatJson(record: LogRecord): string {
  const head = {
    time: record.datetime.toISOString(),
    level: record.levelName.toLowerCase(),
    name: record.loggerName,
    event: record.msg,
  };
  const fields = fieldsOf(record).map(([key, value]) => [
    key in head ? `${key}_` : key,
    plain(value),
  ]);
  return JSON.stringify({ ...head, ...Object.fromEntries(fields) });
}

/** `2026-01-31T12:00:00.000Z info node 7000: chunk stored name="a b.txt" bytes=3` */
function formatText(record: LogRecord, colors: boolean): string {
  const level = record.levelName.toLowerCase();
  const shown = colors ? `${levelColors[level] ?? ""}${level}\x1b[0m` : level;
  let line = `${record.datetime.toISOString()} ${shown} ${record.loggerName}: ${
    oneLine(record.msg)
  }`;
  for (const [key, value] of fieldsOf(record)) line += ` ${key}=${textOf(plain(value))}`;
  return line;
}

function fieldsOf(record: LogRecord): [string, unknown][] {
  const fields = record.args[0];
  if (typeof fields !== "object" || fields === null) return [];
  return Object.entries(fields).filter(([, value]) => value !== undefined);
}

/** What JSON can hold. Names and messages come from outside, so nothing here may throw. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    // A cycle, or a toJSON that throws: the kind of the value is better than no line.
    return Object.prototype.toString.call(value);
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") {
    return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Control characters could forge lines or steer a terminal. */
function oneLine(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text;
}

/** The message, the messages of the causes, and where a programmer's error was thrown. */
function describeError(error: Error): string {
  let text = `${error.name}: ${error.message}`;
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < causesMax; depth++) {
    text += ` (${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)})`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const programmers = error instanceof TypeError || error instanceof ReferenceError ||
    error instanceof RangeError;
  return programmers && error.stack !== undefined ? `${text} at ${error.stack}` : text;
}

/** Writes to stderr at once, so that the last words of a dying process are not lost. */
function writeStderr(line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stderr.writeSync(bytes.subarray(written));
    }
  } catch {
    // Whoever read stderr is gone; there is nobody left to tell.
  }
}

/** Causes of causes that a line tells. */
const causesMax = 4;

const levelNames: Readonly<Record<LogLevel, LevelName>> = {
  debug: "DEBUG",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
};

/** Dim, plain, yellow, red. */
const levelColors: Readonly<Record<string, string>> = {
  debug: "\x1b[2m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
};

const encoder = new TextEncoder();
