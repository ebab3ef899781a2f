/** What requests are counted by: as few as a dashboard can show, whatever paths clients think of. */
export type HttpOperation =
  | ("list" | "read" | "stat" | "store" | "delete")
  | ("nodes" | "heal" | "scrub" | "kill")
  | ("events" | "metrics" | "health" | "page" | "other");

/**
 * What a request is counted as.
 *
 * @example
 * ```ts
 * import { httpOperation } from "./http_operation.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const base = "http://127.0.0.1:8000";
 * assertEquals(httpOperation("GET", new URL("/files/a.txt", base)), "read");
 * assertEquals(httpOperation("GET", new URL("/files/a.txt?stat", base)), "stat");
 * assertEquals(httpOperation("POST", new URL("/nodes/7000/kill", base)), "kill");
 * assertEquals(httpOperation("BREW", new URL("/coffee", base)), "other");
 * ```
 */
export function httpOperation(method: string, { pathname, searchParams }: URL): HttpOperation {
  const [, first = "", second] = pathname.split("/", 3);
  if (first === "files" || first === "file") {
    return fileOperation(method, { first, second, isStat: searchParams.has("stat") });
  }
  if (method === "POST" && pathname.endsWith("/kill")) return "kill";
  return byFirst.get(first) ?? "other";
}

function fileOperation(
  method: string,
  { first, second, isStat }: {
    readonly first: string;
    readonly second: string | undefined;
    readonly isStat: boolean;
  },
): HttpOperation {
  if (first === "file") {
    const operations: Record<string, HttpOperation> = { list: "list", pull: "read", push: "store" };
    return operations[second ?? ""] ?? "other";
  }
  if (second === undefined) return "list";
  switch (method) {
    case "GET":
    case "HEAD":
      return isStat ? "stat" : "read";
    case "PUT":
      return "store";
    case "DELETE":
      return "delete";
    default:
      return "other";
  }
}

/** By the beginning of the path. */
const byFirst: ReadonlyMap<string, HttpOperation> = new Map<string, HttpOperation>([
  ["", "page"],
  ["page", "page"],
  ["openapi.json", "page"],
  ["nodes", "nodes"],
  ["netmap", "nodes"],
  ["node", "nodes"],
  ["heal", "heal"],
  ["network", "heal"],
  ["scrub", "scrub"],
  ["events", "events"],
  ["metrics", "metrics"],
  ["healthz", "health"],
  ["readyz", "health"],
]);
