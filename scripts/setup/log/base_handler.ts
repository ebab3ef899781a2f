/**
 * Stand-in for `@std/log/base-handler`.
 *
 * @module
 */
import { getLevelByName, getLevelName, type LevelName, type LogLevel } from "./levels.ts";
import type { LogRecord } from "./logger.ts";

/** Makes the text of a record. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** The options of a {@linkcode BaseHandler}. */
export interface BaseHandlerOptions {
  /** Makes the text of a record; "LEVEL message" by default. */
  formatter?: FormatterFunction;
}

/** Takes records of a level and above; a subclass overrides `log` to write their text somewhere. */
export class BaseHandler {
  #level: LogLevel;
  /** Makes the text of a record. */
  formatter: FormatterFunction;

  /** Makes a handler for records of that level and above. */
  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ?? defaultFormatter;
  }

  /** The level below which records are dropped. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
  }

  /** The name of the level below which records are dropped. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Formats and logs a record, unless it is below the handler's level. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.format(logRecord));
  }

  /** Makes the text of a record. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Writes the text of a record; nowhere, unless a subclass says where. */
  log(_msg: string): void {}

  /** Called before the handler is used. */
  setup(): void {}

  /** Called after the handler was used. */
  destroy(): void {}

  /** Destroys the handler. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** The text of a record, unless the options say otherwise. */
function defaultFormatter({ levelName, msg }: LogRecord): string {
  return `${levelName} ${msg}`;
}
