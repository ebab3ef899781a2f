/**
 * Stand-in for `@std/log/logger`. A message is text, where the original takes any value.
 *
 * @module
 */
import type { BaseHandler } from "./base_handler.ts";
import {
  getLevelByName,
  getLevelName,
  type LevelName,
  type LogLevel,
  LogLevels,
} from "./levels.ts";

/** What a {@linkcode LogRecord} is made from. */
export interface LogRecordOptions {
  /** The message. */
  msg: string;
  /** The values that came with the message. */
  args: unknown[];
  /** How bad it is. */
  level: LogLevel;
  /** The logger that made it. */
  loggerName: string;
}

/** One message on its way to the handlers. */
export class LogRecord {
  /** The message. */
  readonly msg: string;
  /** How bad it is. */
  readonly level: LogLevel;
  /** How bad it is, in words. */
  readonly levelName: LevelName;
  /** The logger that made it. */
  readonly loggerName: string;
  #args: unknown[];
  #datetime: Date = new Date();

  /** Makes a record of this moment. */
  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = options.args;
  }

  /** The values that came with the message. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When the record was made. */
  get datetime(): Date {
    return new Date(this.#datetime);
  }
}

/** The options of a {@linkcode Logger}. */
export interface LoggerOptions {
  /** What takes the records; nothing by default. */
  handlers?: BaseHandler[];
}

/** Makes records of the level it has, and above, and hands them to its handlers. */
export class Logger {
  /** What takes the records. */
  handlers: BaseHandler[];
  readonly #loggerName: string;
  #level: LogLevel;

  /** Makes a logger for records of that level and above. */
  constructor(loggerName: string, levelName: LevelName, options: LoggerOptions = {}) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** The level below which messages are dropped. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
  }

  /** The name of the level below which messages are dropped. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** The name that the records bear. */
  get loggerName(): string {
    return this.#loggerName;
  }

  /** Logs what only a developer wants to know. */
  debug(msg: string, ...args: unknown[]): string {
    return this.#dispatch(LogLevels.DEBUG, msg, args);
  }

  /** Logs what is as it should be. */
  info(msg: string, ...args: unknown[]): string {
    return this.#dispatch(LogLevels.INFO, msg, args);
  }

  /** Logs what somebody should look at. */
  warn(msg: string, ...args: unknown[]): string {
    return this.#dispatch(LogLevels.WARN, msg, args);
  }

  /** Logs what went wrong. */
  error(msg: string, ...args: unknown[]): string {
    return this.#dispatch(LogLevels.ERROR, msg, args);
  }

  /** Logs what the program cannot go on with. */
  critical(msg: string, ...args: unknown[]): string {
    return this.#dispatch(LogLevels.CRITICAL, msg, args);
  }

  /** Hands a record to the handlers, unless its level is too low, and returns the message. */
  #dispatch(level: LogLevel, msg: string, args: unknown[]): string {
    if (level < this.#level) return msg;
    const record = new LogRecord({ msg, args, level, loggerName: this.#loggerName });
    for (const handler of this.handlers) handler.handle(record);
    return msg;
  }
}
