/**
 * Looks into the compiled program that the environment variable OUROBOROS_BIN names: what it needs is
 * inside, and nothing else.
 *
 * A compiled program is the ELF image of Deno's runtime, and behind it, among other things, the names
 * of the remote modules, and the tree of the files as JSON, which its length precedes (observed in what
 * Deno 2.6 makes).
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";

/** An entry of the tree of files, as far as it is read here. */
type Entry =
  | { Dir: { n: string; e: Entry[] } }
  | { File: { n: string } }
  | { Symlink: { n: string } };

/** Where an ELF file of 64 bits says where its section headers are, and how large and how many. */
const elfTableOffsetAt = 0x28;
const elfEntryBytesAt = 0x3a;
const elfEntriesAt = 0x3c;
/** The size of the number before the JSON, in bytes. */
const lengthBytes = 8;

Deno.test("dist/ouroboros holds the program", async () => {
  const paths = listFiles(await readProgram());
  assert(paths.includes("main.ts"), `main.ts is not among ${paths.length} files`);
  assert(paths.includes("src/protocol/parse.ts"), "src/protocol/command.ts is missing");
  assert(paths.includes("src/gateway/dashboard/page/document.html"), "the page is missing");
  for (
    const file of ["/preact/dist/preact.mjs", "/preact/hooks/dist/hooks.mjs", "/htm/dist/htm.mjs"]
  ) {
    assert(paths.some((path) => path.endsWith(file)), `the page needs ${file}`);
  }
});

Deno.test("dist/ouroboros holds no tests, no scripts and no packages of theirs", async () => {
  const program = await readProgram();
  const text = toText(program);
  const paths = listFiles(program);
  const foreign = paths.filter((path) => !/^(main\.ts|src\/|node_modules\/)/.test(path));
  assertEquals(foreign, []);
  assertEquals(paths.filter((path) => /_test\.ts$|\/playwright|\/axe-core/.test(path)), []);
  assertMatch(text, /@std\/cli\//, "the remote modules are not where they are looked for");
  assertEquals(text.includes("@std/assert/1."), false, "@std/assert is inside");
});

/** Reads what follows the runtime. */
async function readProgram(): Promise<Uint8Array<ArrayBuffer>> {
  const path = Deno.env.get("OUROBOROS_BIN");
  assert(path !== undefined, "OUROBOROS_BIN does not name a compiled program");
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const end = Number(view.getBigUint64(elfTableOffsetAt, true)) +
    view.getUint16(elfEntryBytesAt, true) * view.getUint16(elfEntriesAt, true);
  return bytes.subarray(end);
}

/** The paths of all files inside, links and directories not among them. */
function listFiles(program: Uint8Array<ArrayBuffer>): string[] {
  const start = toText(program).search(/\[\{"(Dir|File|Symlink)":\{"n":"/);
  assert(start >= lengthBytes, "the tree of files is not where it is looked for");
  const view = new DataView(program.buffer, program.byteOffset);
  const length = Number(view.getBigUint64(start - lengthBytes, true));
  const json = new TextDecoder().decode(program.subarray(start, start + length));
  return listEntries(JSON.parse(json), "");
}

/** The paths of the files of a directory and those below it. */
function listEntries(entries: Entry[], prefix: string): string[] {
  return entries.flatMap((entry) => {
    if ("Dir" in entry) return listEntries(entry.Dir.e, `${prefix}${entry.Dir.n}/`);
    return "File" in entry ? [`${prefix}${entry.File.n}`] : [];
  });
}

/** One character a byte, so that positions in the text are positions in the bytes. */
function toText(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
