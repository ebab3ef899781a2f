import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { walk } from "@std/fs/walk";
import { Hono } from "hono";
import type { HttpEnv } from "../../src/gateway/http/http_env.ts";
import { PageFiles } from "../../src/gateway/dashboard/page_files.ts";
import { dashboardRoutes } from "../../src/gateway/dashboard/routes.ts";
import { problemResponse, toProblem } from "../../src/gateway/http/problem.ts";
import { rawPath } from "../../src/gateway/http/raw_path.ts";

const folder = new URL("../../src/gateway/dashboard/page/", import.meta.url);

function page(): (path: string, headers?: Record<string, string>) => Promise<Response> {
  const app = new Hono<HttpEnv>({ getPath: rawPath });
  app.onError((error) => problemResponse(toProblem(error)));
  dashboardRoutes(app);
  return async (path, headers = {}) =>
    await app.fetch(new Request(`http://127.0.0.1:8000${path}`, { headers }));
}

/** The paths of all files of the page, below its folder. */
async function pagePaths(): Promise<string[]> {
  const entries = await Array.fromAsync(walk(folder, { includeDirs: false }));
  return entries.map(({ path }) => path.slice(decodeURIComponent(folder.pathname).length)).sort();
}

Deno.test("the page may load and run nothing but its own files", async () => {
  const get = page();
  for (const path of ["/", "/assets/main.js", "/assets/style.css", "/assets/icon.svg"]) {
    const answer = await get(path);
    await answer.body?.cancel();
    const policy = answer.headers.get("content-security-policy") ?? "";
    assertStringIncludes(policy, "default-src 'none'");
    assertEquals(policy.includes("unsafe"), false);
    assertEquals(/https?:|\*/.test(policy), false);
    for (const each of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) {
      assertStringIncludes(policy, each);
    }
    assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
    assertEquals(answer.headers.get("referrer-policy"), "no-referrer");
  }
});

Deno.test("the document has no script or style in it, and names no other host", async () => {
  const html = await (await page()("/")).text();
  assertEquals(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i.test(html), false);
  for (const [, url = ""] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
    assert(/^\/\w/.test(url), url);
  }
});

Deno.test("every file of the page is served with its type", async () => {
  const get = page();
  const types = {
    css: "text/css; charset=utf-8",
    html: "text/html; charset=utf-8",
    js: "text/javascript; charset=utf-8",
    svg: "image/svg+xml",
  };
  const paths = await pagePaths();
  assert(paths.includes("main.js"));
  for (const path of paths) {
    const answer = await get(`/assets/${path}`);
    const text = await answer.text();
    assertEquals(answer.status, 200, path);
    const extension = path.slice(path.lastIndexOf(".") + 1) as keyof typeof types;
    assertEquals(answer.headers.get("content-type"), types[extension], path);
    assertEquals(
      Number(answer.headers.get("content-length")),
      new TextEncoder().encode(text).length,
    );
  }
});

Deno.test("whatever a module of the page imports is served", async () => {
  const get = page();
  const seen = new Set<string>();
  const waiting = ["/assets/main.js"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const answer = await get(path);
    const text = await answer.text();
    assertEquals(answer.status, 200, path);
    // What a browser resolves against the address of the module.
    for (const [, specifier = ""] of text.matchAll(/(?:from|^import)\s*"([^"]+)"/gm)) {
      assert(/^\.{0,2}\//.test(specifier), `${path} imports '${specifier}'`);
      waiting.push(new URL(specifier, `http://page${path}`).pathname);
    }
  }
  assert(seen.has("/assets/packages/preact.js") && seen.size > 20, [...seen].join());
});

Deno.test("nothing else is served, whatever the path", async () => {
  const answer = await page()("/assets/no.js");
  assertEquals([answer.status, answer.headers.get("content-type")], [
    ...[404, "application/problem+json"],
  ]);
  await answer.body?.cancel();
  const files = new PageFiles();
  const paths = [
    ...["", "no.js", "view", "view/", "../routes.ts", "%2e%2e/routes.ts", "view/../main.js"],
    ...["/etc/passwd", "//etc/passwd", "main.js%00", "main.js\0.css", "Main.js", "main.js?x"],
    ...["packages/react.js", "file:///etc/hosts.css", "http://example.org/a.css"],
  ];
  for (const path of paths) assertEquals(await files.read(path), undefined, path);
  assert(await files.read("main.js") !== undefined);
});

Deno.test("a browser that has a file is not sent it again", async () => {
  const get = page();
  const etag = (await get("/assets/style.css")).headers.get("etag") ?? "";
  assert(/^"[\w-]{20,}"$/.test(etag), etag);
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const answer = await get("/assets/style.css", { "if-none-match": header });
    assertEquals([answer.status, await answer.text()], [304, ""], header);
    assertEquals(answer.headers.get("etag"), etag);
  }
  const changed = await get("/assets/style.css", { "if-none-match": `"other"` });
  await changed.body?.cancel();
  assertEquals([changed.status, changed.headers.get("cache-control")], [200, "no-cache"]);
});
