/**
 * Makes dist/ouroboros, the program in one file: no Deno, no source and no network where it runs.
 *
 * With `--target TRIPLE` it is made for another system, as dist/ouroboros-TRIPLE; `--output FILE` says
 * another place. Further arguments go to `deno compile`, which adds `.exe` for Windows. That needs
 * `denort`, the runtime without the tools: Deno downloads it, or takes the file that the environment
 * variable DENORT_BIN names.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { walk } from "@std/fs/walk";
import { v8Flags } from "../src/runtime/self.ts";

/** What is read of deno.json. */
interface Config {
  tasks: { start: { command: string } };
}

/** What is read of `deno info --json`. */
interface ModuleGraph {
  modules: { npmPackage?: string }[];
  /** Every installed package, under a name such as `@scope/name@1.0.0`. */
  npmPackages?: NpmPackages;
}

type NpmPackages = Record<string, { dependencies: string[] }>;

const entry = "main.ts";
/** The module that browsers begin with: the packages that it imports are served from inside, too. */
const pageEntry = "src/gateway/dashboard/page/main.js";
/**
 * The stack of the threads that Deno starts, in bytes: Deno 2.6 overflows its default of 2 MiB when it
 * embeds some packages. Only pages that are touched take memory.
 */
const stackBytes = 64 * 1024 * 1024;

if (import.meta.main) {
  Deno.chdir(new URL("../", import.meta.url));
  await compile(Deno.args);
}

/** Runs `deno compile`, and ends this process with its exit code. */
async function compile(furtherArguments: string[]): Promise<void> {
  const args = [
    "compile",
    // `deno task ok` checks types; TypeScript of another Deno may see them differently.
    "--no-check",
    // The cache would be a file of a known name in the directory for temporary files of all users.
    "--no-code-cache",
    v8Flags,
    ...outputArguments(furtherArguments),
    ...await permissions(),
    ...(await dataFiles()).flatMap((path) => ["--include", path]),
    ...(await unusedPackages()).flatMap((path) => ["--exclude", path]),
    ...furtherArguments,
    entry,
  ];
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { RUST_MIN_STACK: String(stackBytes) },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code === 0) return;
  console.error(
    "Cannot compile: if Deno could not download denort, name the file of a denort of this Deno's " +
      "version in DENORT_BIN",
  );
  Deno.exit(code);
}

/** Where the program goes, unless the further arguments say so. */
function outputArguments(furtherArguments: string[]): string[] {
  const { output, target } = parseArgs(furtherArguments, {
    string: ["output", "target"],
    alias: { o: "output" },
  });
  if (output !== undefined) return [];
  return ["--output", target === undefined ? "dist/ouroboros" : `dist/ouroboros-${target}`];
}

/** The permissions that the program runs with, from the task `start`. */
async function permissions(): Promise<string[]> {
  const config: Config = JSON.parse(await Deno.readTextFile("deno.json"));
  return config.tasks.start.command.split(" ").filter((word) => word.startsWith("--allow-"));
}

/** The files under src/ that the program reads rather than imports. */
async function dataFiles(): Promise<string[]> {
  const files = await Array.fromAsync(walk("src", { includeDirs: false, skip: [/\.ts$/] }));
  return files.map(({ path }) => path).sort();
}

/**
 * The installed npm packages that the program does not import, such as those of the tests. Deno 2.6
 * would embed all that is installed.
 */
async function unusedPackages(): Promise<string[]> {
  const graphs = [await readModuleGraph(entry), await readModuleGraph(pageEntry)];
  const npmPackages: NpmPackages = Object.assign({}, ...graphs.map((graph) => graph.npmPackages));
  const used = new Set<string>();
  const waiting = graphs.flatMap(({ modules }) => modules).flatMap(({ npmPackage }) =>
    npmPackage ?? []
  );
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    waiting.push(...npmPackages[name]?.dependencies ?? []);
  }
  // A link to an excluded directory would bring it back.
  const links = new Set(["node_modules/.bin"]);
  const directories: string[] = [];
  const usedNames = new Set(Array.from(used, withoutVersion));
  for (const name of Object.keys(npmPackages).filter((name) => !used.has(name))) {
    directories.push(`node_modules/.deno/${name.replaceAll("/", "+")}`);
    const linkName = withoutVersion(name);
    if (usedNames.has(linkName)) continue;
    links.add(`node_modules/${linkName}`).add(`node_modules/.deno/node_modules/${linkName}`);
  }
  return [...directories, ...links];
}

/** `@scope/name` of `@scope/name@1.0.0`. */
function withoutVersion(name: string): string {
  return name.slice(0, name.indexOf("@", 1));
}

/** Asks Deno what a module imports, and what that imports. */
async function readModuleGraph(path: string): Promise<ModuleGraph> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot compile as 'deno info ${path}' failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
