import { type Browser, chromium } from "playwright-core";

/** Where Debian and others put it. */
const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The Chromium of this machine; `undefined` if it has none. */
export function findChromium(): string | undefined {
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/** Starts Chromium without a window. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("This machine has no Chromium");
  return await chromium.launch({
    executablePath,
    // Its sandbox needs what containers and root do not have; the pages are our own.
    args: ["--no-sandbox"],
    // Without a locale it finds no file whose name is more than ASCII.
    env: { ...Deno.env.toObject(), LANG: "C.UTF-8" },
  });
}
