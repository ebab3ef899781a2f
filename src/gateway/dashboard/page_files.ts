import { createHash } from "node:crypto";

/** A file of the page as it is served. */
export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** Strong, of the bytes. */
  readonly etag: string;
}

/** The folder of the files, whose names below it are those in the URLs. */
const folder = new URL("./page/", import.meta.url);

/** What a path may look like, so that none leaves the folder. */
const ownPath = /^(?:[a-z][a-z0-9_]*\/)*[a-z][a-z0-9_]*\.(css|html|js|svg)$/;

/** Where the modules of npm packages are served, by the names that modules import them by. */
const packageUrls: Readonly<Record<string, string>> = {
  "preact": "/assets/packages/preact.js",
  "preact/hooks": "/assets/packages/preact_hooks.js",
  "htm": "/assets/packages/htm.js",
  "htm/preact": "/assets/packages/htm_preact.js",
};

/** An import of one of them. */
const packageImport = new RegExp(`\\bfrom\\s*"(${Object.keys(packageUrls).join("|")})"`, "g");

const contentTypes: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/**
 * The files of the page, read once each from beside this module: from the disk, or from inside the
 * compiled program. The packages that its modules import are read from where Deno keeps them; there is
 * no bundle. A browser knows no package by its name (an import map would have to stand in the
 * document, where the Content-Security-Policy forbids scripts), so the names become paths on the way.
 */
export class PageFiles {
  readonly #files = new Map<string, Promise<PageFile>>();

  /**
   * Reads a file.
   *
   * @param path below `/assets/`; `document.html` is the document.
   * @returns `undefined` when there is none.
   */
  async read(path: string): Promise<PageFile | undefined> {
    const url = sourceOf(path);
    if (url === undefined) return undefined;
    const file = this.#files.get(path) ?? readPageFile(url);
    this.#files.set(path, file);
    try {
      return await file;
    } catch (error) {
      // Only what is there is kept: the names that strangers think of are without number.
      this.#files.delete(path);
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

/** Where a file is read from. */
function sourceOf(path: string): URL | undefined {
  const name = Object.keys(packageUrls).find((name) => packageUrls[name] === `/assets/${path}`);
  if (name !== undefined) return new URL(import.meta.resolve(name));
  return ownPath.test(path) ? new URL(path, folder) : undefined;
}

async function readPageFile(url: URL): Promise<PageFile> {
  const text = await Deno.readTextFile(url);
  const extension = url.pathname.slice(url.pathname.lastIndexOf(".") + 1).replace("mjs", "js");
  const served = extension === "js" ? withPaths(text) : text;
  const body = new TextEncoder().encode(served);
  const sum = createHash("sha256").update(body).digest("base64url");
  return {
    body,
    contentType: contentTypes[extension] ?? "application/octet-stream",
    etag: `"${sum.slice(0, 22)}"`,
  };
}

/** A module that imports packages by their paths. */
function withPaths(text: string): string {
  return text.replace(packageImport, (_, name: string) => `from "${packageUrls[name]}"`);
}
