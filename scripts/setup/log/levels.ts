/**
 * Stand-in for `@std/log/levels`.
 *
 * @module
 */

/** The levels of log records; more is worse. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;

/** The name of a level. */
export type LevelName = keyof typeof LogLevels;

/** The number of a level. */
export type LogLevel = typeof LogLevels[LevelName];

/** The names of the levels, the least first. */
export const LogLevelNames: LevelName[] = Object.keys(LogLevels) as LevelName[];

/**
 * Returns the number of a level.
 *
 * @throws {Error} If there is no level of that name.
 */
export function getLevelByName(name: LevelName): LogLevel {
  const level: LogLevel | undefined = LogLevels[name];
  if (level === undefined) throw new Error(`Cannot find a log level named '${name}'`);
  return level;
}

/**
 * Returns the name of a level.
 *
 * @throws {Error} If there is no level of that number.
 */
export function getLevelName(level: LogLevel): LevelName {
  const name = LogLevelNames.find((candidate) => LogLevels[candidate] === level);
  if (name === undefined) throw new Error(`Cannot find a log level of number ${level}`);
  return name;
}
