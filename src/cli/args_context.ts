import type { ReadConfig } from "./read_command.ts";

/** What the parser reads beside the arguments. */
export interface ArgsContext {
  /** Reads a variable of the environment; only `PORT` and `OUROBOROS_ADDR` are asked for. */
  readonly env: (name: string) => string | undefined;
  /** Reads the file that `--config` names. */
  readonly readConfig: ReadConfig;
}
