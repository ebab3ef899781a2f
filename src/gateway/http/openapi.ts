import { programVersion } from "../../runtime/version.ts";
import type { App } from "./http_env.ts";
import { apiPaths } from "./openapi_paths.ts";
import { apiSchemas } from "./openapi_schemas.ts";

/**
 * The description of the API in OpenAPI 3.1. Every route of the gateway is in it, and it has none that
 * is not there: a test compares the two.
 */
export function openApiDocument(): Readonly<Record<string, unknown>> {
  return {
    openapi: "3.1.0",
    info: {
      title: "OuroborosFS gateway",
      version: programVersion,
      summary: "Files in a ring of nodes that heals itself",
      description:
        "Errors are `application/problem+json` (RFC 9457). There is no authentication: " +
        "whoever reaches the port may read and write. Requests of web pages are refused unless the " +
        "page is the gateway's own or its origin was given by `--cors`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [],
    tags: [
      { name: "files", description: "Store, read, list and delete files" },
      { name: "ring", description: "The nodes, and what can be done to all of them" },
      { name: "operations", description: "Health, and this description" },
      { name: "original", description: "Paths of the original program, for its web page" },
      { name: "page", description: "The page for people" },
    ],
    paths: apiPaths,
    components: { schemas: apiSchemas },
  };
}

/** `/openapi.json`. */
export function openApiRoutes(app: App): void {
  const document = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
  app.get("/openapi.json", (context) =>
    context.body(document, 200, {
      "content-type": "application/json",
      "cache-control": "no-cache",
    }));
}
