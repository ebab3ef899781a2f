import type { PageFile } from "./page_files.ts";

/**
 * What the page may do: load its own modules, styles and pictures, and talk to the gateway that it came
 * from. No script or style stands in the document, none is made from text, and nobody frames it.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Answers a GET for a file of the page. A browser asks each time whether its copy is still good: a
 * gateway that was replaced by another version must not serve half of each.
 *
 * @param ifNoneMatch The header of the request.
 */
export function pageResponse(file: PageFile, ifNoneMatch: string | null): Response {
  const headers = {
    "cache-control": "no-cache",
    "content-security-policy": contentSecurityPolicy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "etag": file.etag,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
  if (isMatch(file.etag, ifNoneMatch)) return new Response(null, { status: 304, headers });
  return new Response(file.body, {
    headers: {
      ...headers,
      "content-type": file.contentType,
      "content-length": String(file.body.length),
    },
  });
}

/** Whether a browser has this copy (RFC 9110, 13.1.2: weak comparison). */
function isMatch(etag: string, ifNoneMatch: string | null): boolean {
  const tags = ifNoneMatch?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(etag) || tags.includes("*");
}
