/**
 * Whether a line looks like HTTP: a web page can make a browser send lines to any local port, and
 * nothing that follows such a line on its connection may be taken for a command. It ends in
 * ` HTTP/1.0` or ` HTTP/1.1`, or it begins with `Host:` in any case.
 *
 * @example
 * ```ts
 * import { looksLikeHttp } from "./browser.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(looksLikeHttp("POST /FILE%20DELETE HTTP/1.1"), true);
 * assertEquals(looksLikeHttp("FILE PULL HTTP/1.1 explained.txt"), false);
 * ```
 */
export function looksLikeHttp(line: string): boolean {
  if (line.endsWith(" HTTP/1.1") || line.endsWith(" HTTP/1.0")) return true;
  return line.slice(0, 5).toLowerCase() === "host:";
}
