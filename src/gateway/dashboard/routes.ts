import { Problem } from "../http/problem.ts";
import { PageFiles } from "./page_files.ts";
import { pageResponse } from "./page_response.ts";
import type { App } from "../http/http_env.ts";

/** The page for people at `/`, and what it is made of. */
export function dashboardRoutes(app: App): void {
  const files = new PageFiles();

  app.get("/", async (context) => {
    const file = await files.read("document.html");
    if (file === undefined) throw new Error("Cannot show the page as its document is missing");
    return pageResponse(file, context.req.header("if-none-match") ?? null);
  });

  app.get("/assets/:path{.+}", async (context) => {
    const file = await files.read(context.req.param("path"));
    if (file === undefined) throw new Problem(404, "The page has no such file");
    return pageResponse(file, context.req.header("if-none-match") ?? null);
  });
}
