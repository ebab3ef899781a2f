import {
  bytes,
  fileHeaders,
  header,
  inPath,
  json,
  operation,
  query,
  textHeader,
} from "./openapi_operation.ts";

const nameInPath = inPath("name", "Percent-encoded UTF-8, at most 200 bytes, no slash");
const portInPath = inPath("port", "Of a node", { type: "integer" });
const writeConditions = [
  header("If-Match", "The ETag that is replaced, or * for any"),
  header("If-None-Match", "* to store only where there is no such file"),
  header("If-Unmodified-Since", "A date; counts without If-Match only"),
];
const digests = [
  header(
    "Content-Digest",
    "sha-256 or sha-512 of the body (RFC 9530), compared before it is stored",
  ),
  header("X-Content-SHA256", "The same in hex or base64"),
];
const anyBody = {
  required: true,
  description: "The bytes of the file; with Content-Length or in chunks",
  content: { "*/*": { schema: { type: "string", format: "binary" } } },
};
const readParameters = [
  nameInPath,
  header("Range", "One or several ranges of bytes"),
  header("If-Range", "Range counts only for this ETag or date"),
  header("If-Match", "Only this version"),
  header("If-None-Match", "Only if it is another version; else 304"),
  header("If-Modified-Since", "Only if it is newer; else 304"),
  header("If-Unmodified-Since", "Only if it is not newer"),
];
const notModified = { description: "It is the version that the client has" };
const readAnswers = {
  200: bytes("The file"),
  206: bytes("A range; several as multipart/byteranges"),
  304: notModified,
};
const readProblems = [400, 403, 404, 412, 416, 503];
const storeProblems = [400, 403, 408, 412, 413, 415, 500, 503, 507];

const filePaths: Readonly<Record<string, unknown>> = {
  "/files": {
    get: operation({
      tag: "files",
      id: "listFiles",
      summary: "List files in the order of their names",
      parameters: [
        query("prefix", "What the names begin with"),
        query("after", "The name before the first one listed"),
        query("limit", "How many at most", { type: "integer", minimum: 1, default: 1000 }),
      ],
      answers: {
        200: json("A page of the list", "FileList", {
          "Link": { ...textHeader, description: "The next page (RFC 8288)" },
        }),
      },
      problems: [400, 403, 503],
    }),
  },
  "/files/{name}": {
    get: operation({
      tag: "files",
      id: "readFile",
      summary: "Read a file, or tell where its copies lie",
      description:
        "HEAD is answered as well. A failure after the first byte cuts the connection. " +
        "With `?stat` the answer is a FileStat in JSON instead of the bytes.",
      parameters: [...readParameters, query("stat", "Tell of the file instead", { const: "" })],
      answers: {
        ...readAnswers,
        200: {
          description: "The file; with `?stat` what the ring knows of it",
          headers: fileHeaders,
          content: {
            "*/*": { schema: { type: "string", format: "binary" } },
            "application/json": { schema: { $ref: "#/components/schemas/FileStat" } },
          },
        },
      },
      problems: readProblems,
    }),
    put: operation({
      tag: "files",
      id: "storeFile",
      summary: "Store a file, or replace it",
      description: "When this is answered, every part is on two nodes' disks.",
      parameters: [nameInPath, ...writeConditions, ...digests],
      requestBody: anyBody,
      answers: {
        200: json("The file was replaced", "StoredFile", { ETag: textHeader }),
        201: json("The file is new", "StoredFile", { ETag: textHeader, Location: textHeader }),
      },
      problems: storeProblems,
    }),
    delete: operation({
      tag: "files",
      id: "deleteFile",
      summary: "Delete a file",
      parameters: [nameInPath, ...writeConditions],
      answers: { 204: { description: "The file is deleted" } },
      problems: [400, 403, 404, 412, 500, 503],
    }),
  },
};

const ringPaths: Readonly<Record<string, unknown>> = {
  "/nodes": {
    get: operation({
      tag: "ring",
      id: "listNodes",
      summary: "Who is in the ring",
      parameters: [query("detail", "Tell of every node what it counts, too", { const: "" })],
      answers: { 200: json("All nodes", "NodeList") },
      problems: [403, 503],
    }),
  },
  "/nodes/{port}": {
    get: operation({
      tag: "ring",
      id: "readNode",
      summary: "What a node tells of itself",
      parameters: [portInPath],
      answers: { 200: json("The node", "Node") },
      problems: [403, 404, 503, 504],
    }),
  },
  "/nodes/{port}/kill": {
    post: operation({
      tag: "ring",
      id: "killNode",
      summary: "End a node as a crash would, to watch the ring heal",
      description: "Only where the gateway was started with `--allow-kill`.",
      parameters: [portInPath],
      answers: { 200: json("The node is gone", "Message") },
      problems: [403, 404, 503, 504],
    }),
  },
  "/heal": {
    post: operation({
      tag: "ring",
      id: "healRing",
      summary: "Check every node now and start the dead ones again",
      answers: { 200: json("The whole ring was checked", "Message") },
      problems: [403, 503, 504],
    }),
  },
  "/scrub": {
    post: operation({
      tag: "ring",
      id: "scrubRing",
      summary: "Verify every stored byte now, and repair what is damaged",
      answers: { 200: json("What was found", "ScrubCounts") },
      problems: [403, 503, 504],
    }),
  },
};

const operationPaths: Readonly<Record<string, unknown>> = {
  "/healthz": {
    get: operation({
      tag: "operations",
      id: "isHealthy",
      summary: "Whether this process serves",
      answers: { 200: json("It does", "Status") },
      problems: [403],
    }),
  },
  "/readyz": {
    get: operation({
      tag: "operations",
      id: "isReady",
      summary: "Whether the ring can take a push",
      answers: { 200: json("It can", "Status") },
      problems: [403, 503],
    }),
  },
  "/metrics": {
    get: operation({
      tag: "operations",
      id: "readMetrics",
      summary: "What the gateway and all nodes count, for Prometheus",
      parameters: [query("scope", "`gateway` leaves the nodes out", { const: "gateway" })],
      answers: { 200: { description: "Text of Prometheus", content: { "text/plain": {} } } },
      problems: [403],
    }),
  },
  "/events": {
    get: operation({
      tag: "operations",
      id: "followEvents",
      summary: "What happens in the ring, as it happens",
      description:
        "Server-sent events. First comes what was kept, or what `Last-Event-ID` has missed.",
      parameters: [header("Last-Event-ID", "The last event that the client has seen")],
      answers: {
        200: { description: "It does not end by itself", content: { "text/event-stream": {} } },
      },
      problems: [403, 503],
    }),
  },
  "/openapi.json": {
    get: operation({
      tag: "operations",
      id: "describeApi",
      summary: "This description",
      answers: { 200: { description: "OpenAPI 3.1", content: { "application/json": {} } } },
      problems: [403],
    }),
  },
};

const originalPaths: Readonly<Record<string, unknown>> = {
  "/netmap/get": {
    get: operation({
      tag: "original",
      id: "originalNetmap",
      summary: "The status of each node by its port",
      answers: { 200: { description: "An object", content: { "application/json": {} } } },
      problems: [403, 503],
    }),
  },
  "/file/list": {
    get: operation({
      tag: "original",
      id: "originalList",
      summary: "All files: name, start and size",
      answers: { 200: { description: "An array", content: { "application/json": {} } } },
      problems: [403, 503],
    }),
  },
  "/file/pull/{name}": {
    get: operation({
      tag: "original",
      id: "originalPull",
      summary: "As GET /files/{name}",
      parameters: readParameters,
      answers: readAnswers,
      problems: readProblems,
    }),
  },
  "/file/push": {
    post: operation({
      tag: "original",
      id: "originalPush",
      summary: "As PUT /files/{name}, the name in a header",
      parameters: [
        { ...header("X-Filename", "The name of the file") as object, required: true },
        ...writeConditions,
        ...digests,
      ],
      requestBody: anyBody,
      answers: { 200: json("The file is stored", "Message") },
      problems: storeProblems,
    }),
  },
  "/network/heal": {
    post: operation({
      tag: "original",
      id: "originalHeal",
      summary: "As POST /heal",
      answers: { 200: json("The whole ring was checked", "Message") },
      problems: [403, 503, 504],
    }),
  },
  "/node/{port}/kill": {
    post: operation({
      tag: "original",
      id: "originalKill",
      summary: "As POST /nodes/{port}/kill",
      parameters: [portInPath],
      answers: { 200: json("The node is gone", "Message") },
      problems: [403, 404, 503, 504],
    }),
  },
};

const pagePaths: Readonly<Record<string, unknown>> = {
  "/": {
    get: operation({
      tag: "page",
      id: "showPage",
      summary: "The page that shows the ring at work",
      answers: { 200: { description: "The page", content: { "text/html": {} } }, 304: notModified },
      problems: [403],
    }),
  },
  "/assets/{path}": {
    get: operation({
      tag: "page",
      id: "readAsset",
      summary: "What the page is made of",
      parameters: [inPath("path", "Of a file of the page")],
      answers: { 200: { description: "A file", content: { "*/*": {} } }, 304: notModified },
      problems: [403, 404],
    }),
  },
};

/** What can be asked, path by path. A route that is added needs its entry here. */
export const apiPaths: Readonly<Record<string, unknown>> = {
  ...filePaths,
  ...ringPaths,
  ...operationPaths,
  ...originalPaths,
  ...pagePaths,
};
