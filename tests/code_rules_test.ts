/**
 * The rules that the code itself keeps, checked on its syntax trees: where imports may point, what the
 * pure folders may name, how long things may be, how they are written and named.
 *
 * @module
 */
import { assertEquals, fail } from "@std/assert";
import { walk } from "@std/fs/walk";
import { type Found, type Import, readSource, type SourceFile } from "./support/source_file.ts";

const root = new URL("../", import.meta.url);

/** The layers, the lowest first. A folder may import folders of lower layers, and itself. */
const layers = [
  ["protocol", "runtime"],
  ["ring", "store", "net"],
  ["client", "supervisor", "gateway", "node"],
  ["cli"],
  ["main.ts"],
];

/** What the client is for: it speaks the line protocol for those beside it, too. */
const allowedBesides = ["gateway > client", "supervisor > client"];

/** The options of a role, which whoever starts a process of it hands over. */
const optionsFile = /^src\/[a-z]+\/(shared_)?options\.ts$/;

/** Folders whose code gives the same results whenever and wherever it runs. */
const pureFolders = ["protocol", "ring"];

/** What would make a pure folder impure. */
const impureNames = new Set([
  ...["Deno", "process", "navigator", "globalThis", "console", "fetch"],
  ...["Date", "performance", "Temporal", "crypto"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "AbortSignal.timeout"],
  ...["clearTimeout", "clearInterval", "Math.random"],
]);

const fileLinesMax = 400;
const mainLinesMax = 80;
const functionLinesMax = 70;
/** Functions that are long as they have a case for each command of the protocol. */
const longFunctions = new Set(["src/node/serve_command.ts"]);

/** What the top directory may hold, besides what .gitignore names. */
const topNames = new Set([
  ...[".ci", ".editorconfig", ".git", ".gitattributes", ".github", ".gitignore"],
  ...["LICENSE", "README.md", "deno.json", "main.ts", "scripts", "src", "tests"],
]);
const ignoredNames = new Set(["dist", "node_modules", "nodes", "vendor"]);

/** Names that other programs look for. */
const toolNames = /^(Dockerfile(\.dockerignore)?|[a-z]+(-[a-z]+)*\.service)$/;

const files = await readSourceFiles();
const sources = files.filter(({ path }) => path === "main.ts" || path.startsWith("src/"));
const byPath = new Map(files.map((file) => [file.path, file]));

Deno.test("source files import only what is below them", () => {
  assertNone(
    "imports point down: main > cli > {supervisor, gateway, node, client} > {ring, store, net} > protocol",
    sources.flatMap((file) =>
      file.imports
        .filter(({ text }) => !mayImport(file.path, text))
        .map(({ text, line }) => `${file.path}:${line} imports ${text}`)
    ),
  );
});

Deno.test("source files import each other in no circle", () => {
  const circles = sources.flatMap(({ path }) => {
    // Types may refer to each other: those of a class and of what it is made of do.
    const circle = findPath(path, path, ({ loads }) => loads);
    // Every file of a circle finds it; the first in order reports it.
    return circle?.toSorted()[0] === path ? [circle.join(" > ")] : [];
  });
  assertNone("a circle of imports has no part that can be understood first", circles);
});

Deno.test("the program loads the gateway only where it is one", () => {
  const gateway = sources.map(({ path }) => path)
    .filter((path) => path.startsWith("src/gateway/") && path !== "src/gateway/options.ts");
  assertNone(
    "a node's memory holds no gateway: main.ts comes to it by import() only",
    gateway.flatMap((path) => {
      const way = findPath("main.ts", path, ({ loads }) => loads);
      return way === undefined ? [] : [way.join(" > ")];
    }),
  );
});

Deno.test("pure folders name no clock, no chance, no runtime", () => {
  const pure = sources.filter(({ path }) => pureFolders.includes(folderOf(path)));
  assertNone(
    `${pureFolders.join(" and ")} get what they need of the world as arguments`,
    pure.flatMap(({ path, names, imports }) => [
      ...names.filter(({ text }) => impureNames.has(text)).map(at(path)),
      ...imports.filter(({ text }) => !text.endsWith(".ts")).map(at(path)),
    ]),
  );
});

Deno.test("only main.ts ends the process", () => {
  assertNone(
    "whoever else ends the process keeps its callers from cleaning up",
    sources.filter(({ path }) => path !== "main.ts").flatMap(uses("Deno.exit")),
  );
});

Deno.test("only the logger and the command line write to the console", () => {
  const others = sources.filter(({ path }) =>
    path !== "src/runtime/log.ts" && folderOf(path) !== "cli"
  );
  assertNone("src/runtime/log.ts knows the level and the form", others.flatMap(uses("console")));
});

Deno.test("only the logger imports @std/log", () => {
  assertNone(
    "@std/log gets no more releases, so that one file has to change when it goes",
    files.filter(({ path }) => path !== "src/runtime/log.ts" && !path.startsWith("scripts/setup/"))
      .flatMap(({ path, imports }) =>
        imports.filter(({ text }) => text.startsWith("@std/log")).map(at(path))
      ),
  );
});

Deno.test("files and functions are short", () => {
  const long = sources.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    const max = path === "main.ts" ? mainLinesMax : fileLinesMax;
    return lines > max ? [`${path} has ${lines} lines, ${max} at most`] : [];
  });
  const others = sources.filter(({ path }) => !longFunctions.has(path));
  const longOnes = others.flatMap(({ path, functions }) =>
    functions.filter(({ lines }) => lines > functionLinesMax).map((each) =>
      `${at(path)(each)} has ${each.lines} lines, ${functionLinesMax} at most`
    )
  );
  assertNone("what is longer is two things", [...long, ...longOnes]);
});

Deno.test("the code has none of what it does without", () => {
  // The stand-ins have the signatures of others.
  const own = files.filter(({ path }) => !path.startsWith("scripts/setup/"));
  assertNone(
    "unions for enums, unknown for any, #private for private, functions at top level, no state there",
    own.flatMap(({ path, forbidden }) => forbidden.map(at(path))),
  );
});

Deno.test("exports are documented", () => {
  assertNone(
    "each has at least a sentence above it",
    sources.flatMap(({ path, undocumented }) => undocumented.map(at(path))),
  );
});

Deno.test("nothing waits to be done", () => {
  const mark = new RegExp(
    ["TO" + "DO", "FIX" + "ME", "X" + "XX"].map((word) => `\\b${word}\\b`).join("|"),
  );
  assertNone("an issue waits; a comment rots", files.flatMap(linesThatMatch(mark)));
});

Deno.test("files name no path of one machine", () => {
  const mark = /(?<![\w.}-])\/(work|tmp|home|root|Users)\//;
  assertNone(
    "a path comes from an argument, from import.meta.url or from Deno.makeTempDir()",
    // This file has the names of the directories in it.
    files.filter(({ path }) => path !== "tests/code_rules_test.ts").flatMap(linesThatMatch(mark)),
  );
});

Deno.test("files have names in snake_case that say what is in them", async () => {
  const wrong: string[] = [];
  for (const top of ["src", "tests", "scripts"]) {
    for (const path of await listPaths(top, /./)) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (toolNames.test(name)) continue;
      const says = !/^(index|utils?|helpers?|misc|common)\b/.test(name);
      if (!says || !/^[a-z0-9]+(_[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(name)) wrong.push(path);
    }
  }
  assertNone("a file is named after its main export; no utils, no index", wrong);
});

Deno.test("the top directory and src/ hold what is known here", async () => {
  const names = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
  const unknown = names.filter((name) => !topNames.has(name) && !ignoredNames.has(name));
  assertNone(
    "what a program writes belongs elsewhere",
    unknown.filter((name) => !name.endsWith(".log")),
  );
  const folders = (await listPaths("src", /\.ts$/)).map(folderOf);
  const known = layers.flat();
  assertNone("a new folder needs a layer", folders.filter((folder) => !known.includes(folder)));
});

Deno.test("the rules see what they are to find", () => {
  const file = readSource(
    "src/ring/example.ts",
    `import { a } from "./a.ts";
     export * from "./b.ts";
     type C = import("./c.ts").C;
     const now = { Date: 1 }.Date + Date.now() + Math.random();
     let state: any = await import("./d.ts");
     export const arrow = () => Deno.exit(1);
     enum E { A }
     class K { private x = 1; constructor(private y: 1, readonly z: 2) {} }`,
  );
  assertEquals(file.imports.map(({ text, loads }) => [text, loads]), [
    ["src/ring/a.ts", true],
    ["src/ring/b.ts", true],
    ["src/ring/c.ts", false],
    ["src/ring/d.ts", false],
  ]);
  const impure = file.names.map(({ text }) => text).filter((text) => impureNames.has(text));
  assertEquals(impure, ["Date", "Math.random", "Deno"]);
  assertEquals(file.names.filter(({ text }) => text === "Deno.exit").map(({ line }) => line), [6]);
  assertEquals(file.forbidden.map(({ line }) => line), [5, 5, 6, 7, 8, 8]);
  assertEquals(file.undocumented.map(({ line }) => line), [6]);
});

/** Fails with what is wrong, line by line, and the reason of the rule. */
function assertNone(reason: string, wrong: string[]): void {
  if (wrong.length > 0) fail(`${reason}\n  ${[...new Set(wrong)].join("\n  ")}\n`);
}

/** Writes where something is. */
function at(path: string): (found: Found) => string {
  return ({ text, line }) => `${path}:${line} ${text}`;
}

/** Finds the uses of a name in a file. */
function uses(name: string): (file: SourceFile) => string[] {
  return ({ path, names }) => names.filter(({ text }) => text === name).map(at(path));
}

/** Finds the lines of a file that match. */
function linesThatMatch(pattern: RegExp): (file: SourceFile) => string[] {
  return ({ path, text }) =>
    text.split("\n").flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : []
    );
}

/** The folder of src/ that a file belongs to; another file or package is a folder of its own. */
function folderOf(path: string): string {
  const [top, folder] = path.split("/");
  return top === "src" && folder !== undefined ? folder : path;
}

/** Whether one file may import another. What is neither in a folder of src/ nor here is a package. */
function mayImport(fromPath: string, toPath: string): boolean {
  const [from, to] = [folderOf(fromPath), folderOf(toPath)];
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
  if (toLayer === -1) return !/^(\.ci|scripts|tests)\//.test(toPath);
  if (pureFolders.includes(from) && to === "runtime") return false;
  if (from === to || toLayer < fromLayer) return true;
  return toLayer === fromLayer &&
    (optionsFile.test(toPath) || allowedBesides.includes(`${from} > ${to}`));
}

/** The number of a folder's layer, the lowest is 0; -1 for what is in none. */
function layerOf(folder: string): number {
  return layers.findIndex((layer) => layer.includes(folder));
}

/** The shortest way from a file to another by one import or more; none if there is no way. */
function findPath(
  from: string,
  to: string,
  follow: (each: Import) => boolean,
): string[] | undefined {
  const ways = [[from]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const { text } of byPath.get(way.at(-1)!)?.imports.filter(follow) ?? []) {
      if (text === to) return [...way, text];
      if (!seen.has(text)) ways.push([...way, text]);
      seen.add(text);
    }
  }
  return undefined;
}

/** Lists the files below a folder, if there is one, as paths from the top directory. */
async function listPaths(folder: string, pattern: RegExp): Promise<string[]> {
  const url = new URL(`${folder}/`, root);
  const options = { includeDirs: false, match: [pattern] };
  const entries = await Array.fromAsync(walk(url, options));
  return entries.map(({ path }) => path.slice(decodeURIComponent(root.pathname).length)).sort();
}

/** Reads all TypeScript of the repository, and the JavaScript of the page. */
async function readSourceFiles(): Promise<SourceFile[]> {
  const folders = await Promise.all(
    [".ci", "scripts", "src", "tests"].map((folder) => listPaths(folder, /\.(ts|js)$/)),
  );
  const tops = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
  const paths = [...tops.filter((name) => name === "main.ts"), ...folders.flat()];
  return await Promise.all(
    paths.map(async (path) => readSource(path, await Deno.readTextFile(new URL(path, root)))),
  );
}
