/**
 * Makes the packages of deno.json available in vendor/, before every task.
 *
 * Where their registry answers, Deno gets them. Where it does not (a build machine without it), stand-ins
 * take their place: small modules with the same names and signatures, which scripts/setup/ holds. This
 * script imports nothing, as nothing may be there yet.
 *
 * @module
 */

/** A package of the registry, as deno.json's `imports` has it: `jsr:@std/cli@1.0.32`. */
interface Package {
  /** The name without the scope: `cli`. */
  name: string;
  /** The exact version. */
  version: string;
}

/** What a package of the vendor directory is. */
type Vendored = "missing" | "package" | "stand-in" | "outdated stand-in";

/**
 * How long the registry may take to answer. A shorter wait would take a slow network for none; a longer
 * one would delay the first start where there is none. Milliseconds.
 */
const answerMsMax = 2_000;

const root = new URL("../", import.meta.url);
const templates = new URL("setup/", import.meta.url);
/** The registry of `jsr:` packages. */
const registry = new URL("https://jsr.io/@std/");
/** Where Deno looks for the registry's packages; the name of the directory is the host's. */
const vendor = new URL("vendor/jsr.io/@std/", root);

if (import.meta.main) await setup(Deno.args.includes("--refresh"));

/** Makes sure that every package is there; `refresh` asks the registry even if so. */
async function setup(refresh: boolean): Promise<void> {
  const packages = await readPackages();
  const found = await Promise.all(packages.map(inspect));
  const packagesIn = (...states: Vendored[]): Package[] =>
    packages.filter((_, index) => states.includes(found[index]!));

  const missing = packagesIn("missing");
  if (refresh || missing.length > 0) {
    if (await registryAnswers(packages[0]!)) {
      // What was made here must not hide what the registry has.
      await Promise.all(packagesIn("stand-in", "outdated stand-in").map(remove));
      return await install();
    }
    log("the package registry does not answer (`deno task setup --refresh` asks again)");
  }
  const wanted = [...missing, ...packagesIn("outdated stand-in")];
  if (wanted.length === 0) return;
  for (const each of wanted) await writeStandIn(each);
  log(`wrote stand-ins of ${wanted.map(({ name }) => `@std/${name}`).join(", ")} to vendor/`);
  await install();
}

/** Reads from deno.json which packages of the registry are imported. */
async function readPackages(): Promise<Package[]> {
  const config: unknown = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const { imports } = config as { imports: Record<string, string> };
  return Object.values(imports).flatMap((specifier) => {
    const [, name, version] = /^jsr:@std\/([a-z-]+)@([0-9.]+)$/.exec(specifier) ?? [];
    return name && version ? [{ name, version }] : [];
  });
}

/** Tells what the vendor directory has of a package. */
async function inspect(wanted: Package): Promise<Vendored> {
  const manifest = await readIfThere(new URL(manifestPath(wanted), vendor));
  if (manifest === undefined) return "missing";
  const files = await standInFiles(wanted);
  // The registry's own manifest lists its files with their checksums; ours lists none.
  if (!manifest.startsWith('{"manifest":{},')) return "package";
  const same = await Promise.all(
    Array.from(files, async ([path, text]) => await readIfThere(new URL(path, vendor)) === text),
  );
  return same.every(Boolean) ? "stand-in" : "outdated stand-in";
}

/** Tells whether the registry answers, with what a registry would say. */
async function registryAnswers({ name, version }: Package): Promise<boolean> {
  try {
    const response = await fetch(new URL(`${name}/meta.json`, registry), {
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await response.text();
    // A proxy may answer in its place, with a page of its own.
    return response.ok && text.includes(`"${version}"`);
  } catch {
    // Whatever the reason is, there is no registry to be had.
    return false;
  }
}

/** Removes a package from the vendor directory. */
async function remove({ name }: Package): Promise<void> {
  await Deno.remove(new URL(`${name}/`, vendor), { recursive: true });
}

/** Writes the stand-in of a package into the vendor directory. */
async function writeStandIn(wanted: Package): Promise<void> {
  for (const [path, text] of await standInFiles(wanted)) {
    await writeWhole(new URL(path, vendor), text);
  }
}

/**
 * The files of a stand-in, path below the vendor directory → text. Deno finds a package through the
 * two JSON files, so these come last: whoever finds them finds the rest. A file name of more than 30
 * characters would not be found, as Deno shortens those in the vendor directory.
 *
 * @throws {Error} If scripts/setup/ has none for the package.
 */
async function standInFiles(wanted: Package): Promise<Map<string, string>> {
  const { name, version } = wanted;
  const directory = new URL(`${name}/`, templates);
  const files = new Map<string, string>();
  const exports: Record<string, string> = {};
  for await (const { name: file } of Deno.readDir(directory)) {
    files.set(`${name}/${version}/${file}`, await Deno.readTextFile(new URL(file, directory)));
    // The rule by which the library names its exports: mod.ts is the package, to_text.ts is to-text.
    const exported = file.replace(/\.ts$/, "").replaceAll("_", "-");
    exports[exported === "mod" ? "." : `./${exported}`] = `./${file}`;
  }
  const sorted = Object.fromEntries(Object.entries(exports).sort());
  files.set(manifestPath(wanted), JSON.stringify({ manifest: {}, exports: sorted }));
  const versions = { [version]: {} };
  files.set(
    `${name}/meta.json`,
    JSON.stringify({ scope: "std", name, latest: version, versions }),
  );
  return files;
}

/** The path of a package's manifest below the vendor directory. */
function manifestPath({ name, version }: Package): string {
  return `${name}/${version}_meta.json`;
}

/** Lets Deno get what it lacks now, once and quietly, rather than when the first node starts. */
async function install(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
  // Not the end: the task that follows says what it lacks, if it does.
  if (!success) log("`deno install` failed");
}

/** Reads a file, if there is one. */
async function readIfThere(url: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a file such that nobody sees half of it: two tasks may do this at once. */
async function writeWhole(url: URL, text: string): Promise<void> {
  await Deno.mkdir(new URL("./", url), { recursive: true });
  const temporary = new URL(`${url.href}.${crypto.randomUUID()}.tmp`);
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, url);
}

/** Tells the user, on stderr, as stdout belongs to the task that follows. */
function log(message: string): void {
  console.error(`setup: ${message}`);
}
