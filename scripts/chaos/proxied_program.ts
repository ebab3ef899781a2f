import { fileURLToPath } from "node:url";
import { selfCommand } from "../../src/runtime/self.ts";
import { movedPortsFile } from "./behind_proxy.ts";

const root = new URL("../../", import.meta.url);

/** What the program loads besides its own sources. */
const linkedNames = ["src", "deno.json", "vendor", "node_modules"];

/** A command line and where to run it. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/**
 * Makes a program that listens on other ports than it says. It is a directory with links to everything
 * of the repository and a main.ts that first replaces `Deno.listen`; whatever it starts is started from
 * there as well, so that a respawned node is behind its proxy too. The program itself knows nothing.
 *
 * It is always made at the same place, as the runtime keeps what it has compiled by path.
 *
 * @returns Its directory.
 */
export async function makeProxiedProgram(): Promise<string> {
  const directory = fileURLToPath(new URL("dist/chaos", root));
  await Deno.mkdir(directory, { recursive: true });
  for (const name of linkedNames) {
    const target = fileURLToPath(new URL(name, root));
    if (await exists(target)) await link(target, `${directory}/${name}`);
  }
  const hook = new URL("behind_proxy.ts", import.meta.url);
  await link(fileURLToPath(hook), `${directory}/listen_elsewhere.ts`);
  const main = await Deno.readTextFile(new URL("main.ts", root));
  await replaceText(`${directory}/main.ts`, `import "./listen_elsewhere.ts";\n${main}`);
  return directory;
}

/** Says which ports move for processes with this working directory. */
export async function movePorts(cwd: string, moved: ReadonlyMap<number, number>): Promise<void> {
  await replaceText(`${cwd}/${movedPortsFile}`, JSON.stringify(Object.fromEntries(moved)));
}

/** The program in `directory` with these arguments; the one of the repository without a directory. */
export function programCommand(
  directory: string | undefined,
  options: { readonly args: readonly string[]; readonly cwd: string },
): ProgramCommand {
  const { args, cwd } = options;
  const binary = Deno.env.get("OUROBOROS_BIN");
  if (binary !== undefined && binary !== "") return { command: binary, args, cwd };
  const self = selfCommand(args);
  if (directory === undefined) return { ...self, cwd };
  const here = fileURLToPath(root);
  const moved = self.args.map((arg) =>
    arg === `${here}main.ts`
      ? `${directory}/main.ts`
      : arg.replace(`--config=${here}`, `--config=${directory}/`)
  );
  return { command: self.command, args: moved, cwd };
}

async function link(target: string, path: string): Promise<void> {
  try {
    await Deno.symlink(target, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Another run may read the file at the same time. */
async function replaceText(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, path);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
