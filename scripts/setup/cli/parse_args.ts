// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/cli/parse-args`. The code behind it is the same library in its npm edition, which
 * comes without types; the types here accept less than the original's (no dotted names, `unknown`
 * where that has `any`), so that what compiles with them compiles with those as well.
 *
 * @module
 */
import { parseArgs as parseUntyped } from "npm:deno-std@1.4.0/cli/parse_args.js";

/** The names that are known when compiling; a plain `string` says nothing about names. */
type Known<Name extends string> = string extends Name ? never : Name;

/** What a flag holds, before defaults and aliases. */
type Values<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
> =
  & { [Name in Exclude<Strings, Collected>]?: Name extends Negatable ? string | false : string }
  & { [Name in Extract<Strings, Collected>]: string[] }
  & { [Name in Exclude<Booleans, Collected>]: boolean }
  & { [Name in Extract<Booleans, Collected>]: boolean[] }
  & { [Name in Exclude<Collected, Strings | Booleans>]: unknown[] };

/** The values, where a default takes the place of `undefined`. */
type WithDefaults<Flags, Defaults> =
  & Omit<Flags, keyof Defaults>
  & {
    [Name in keyof Defaults]: Name extends keyof Flags ? Defaults[Name] | NonNullable<Flags[Name]>
      : unknown;
  };

/** The names of a flag's aliases. */
type AliasesOf<Name, Aliases> = Name extends keyof Aliases
  ? Aliases[Name] extends readonly (infer Alias extends string)[] ? Known<Alias>
  : Known<Extract<Aliases[Name], string>>
  : never;

/** The values once more under the names of their aliases. */
type WithAliases<Flags, Aliases> = {
  [Name in keyof Flags as Name | AliasesOf<Name, Aliases>]: Flags[Name];
};

/** The result of {@linkcode parseArgs}. */
export type Args<Flags, DoubleDash extends boolean = false> =
  & { [name: string]: unknown; _: Array<string | number> }
  & Flags
  & (DoubleDash extends true ? { "--": string[] } : unknown);

/** The options of {@linkcode parseArgs}. */
export interface ParseOptions<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
  Defaults extends Record<string, unknown>,
  Aliases extends Record<string, string | readonly string[]>,
  DoubleDash extends boolean,
> {
  /** Puts what follows `--` into the result's `--`; without it, into `_`. */
  "--"?: DoubleDash;
  /** Other names of flags. */
  alias?: Aliases;
  /** Flags without a value. */
  boolean?: readonly Booleans[];
  /** Flags that may be given several times. */
  collect?: readonly Collected[];
  /** The values of flags that are not given. */
  default?: Defaults;
  /** Flags that `--no-<name>` sets to false. */
  negatable?: readonly Negatable[];
  /** Puts everything from the first argument that is no flag into `_`. */
  stopEarly?: boolean;
  /** Flags with a value, which stays a string. */
  string?: readonly Strings[];
  /** Called with what no other option names; `false` keeps it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Parses command line arguments. */
export const parseArgs: <
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  // deno-lint-ignore ban-types -- no default is the empty record
  const Defaults extends Record<string, unknown> = {},
  // deno-lint-ignore ban-types -- no alias is the empty record
  const Aliases extends Record<string, string | readonly string[]> = {},
  DoubleDash extends boolean = false,
>(
  args: string[],
  options?: ParseOptions<
    Booleans,
    Strings,
    Collected,
    Negatable,
    Defaults,
    Aliases,
    DoubleDash
  >,
) => Args<
  WithAliases<
    WithDefaults<
      Values<Known<Booleans>, Known<Strings>, Known<Collected>, Known<Negatable>>,
      Defaults
    >,
    Aliases
  >,
  DoubleDash
> = parseUntyped;
