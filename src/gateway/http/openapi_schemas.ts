const version = {
  type: "string",
  pattern: "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
  description: "A ULID; every push of a name has a higher one. In quotes it is the ETag.",
};
const sha256 = { type: ["string", "null"], description: "Hex; null where an original stored it" };
const size = { type: "integer", minimum: 0, description: "Bytes" };
const port = { type: "integer", minimum: 1, maximum: 65535 };
const name = { type: "string", description: "At most 200 bytes of UTF-8, without / \\ : | ;" };

/** The schemas of the answers, by the names that `$ref` uses. */
export const apiSchemas: Readonly<Record<string, unknown>> = {
  Problem: {
    type: "object",
    description: "RFC 9457",
    required: ["type", "title", "status", "detail"],
    properties: {
      type: { type: "string", const: "about:blank" },
      title: { type: "string" },
      status: { type: "integer" },
      detail: { type: "string", description: "For people" },
    },
  },
  FileList: {
    type: "object",
    required: ["files", "next"],
    properties: {
      files: { type: "array", items: { $ref: "#/components/schemas/File" } },
      next: {
        type: ["string", "null"],
        description: "The `after` of the next page; null on the last one",
      },
    },
  },
  File: {
    type: "object",
    required: ["name", "size", "version", "sha256", "modified", "parts", "start"],
    properties: {
      name,
      size,
      version,
      sha256,
      modified: { type: "string", format: "date-time" },
      parts: { type: "integer", minimum: 1 },
      start: { ...port, description: "The port of the node that holds part 1" },
    },
  },
  StoredFile: {
    type: "object",
    required: ["name", "size", "version", "sha256"],
    properties: { name, size, version, sha256 },
  },
  FileStat: {
    type: "object",
    required: ["name", "size", "version", "sha256", "parts"],
    properties: {
      name,
      size,
      version,
      sha256,
      parts: {
        type: "array",
        description: "The copies of each part, the holder's first",
        items: {
          type: "array",
          items: {
            type: "object",
            required: ["node", "port", "state"],
            properties: {
              node: { type: "string", description: "host:port" },
              port,
              state: { enum: ["ok", "missing", "damaged", "unknown"] },
            },
          },
        },
      },
    },
  },
  NodeList: {
    type: "object",
    required: ["nodes"],
    properties: {
      nodes: {
        type: "array",
        items: {
          type: "object",
          required: ["address", "port", "status"],
          properties: {
            address: { type: "string", description: "host:port" },
            port,
            status: { enum: ["Alive", "Dead"] },
          },
          additionalProperties: true,
          description: "With `?detail`, also what the node counts",
        },
      },
    },
  },
  Node: {
    type: "object",
    description: "What the node tells of itself, values as text",
    required: ["port", "status"],
    properties: { port, status: { type: "string" } },
    additionalProperties: { type: "string" },
  },
  Message: {
    type: "object",
    required: ["message"],
    properties: { message: { type: "string" } },
  },
  ScrubCounts: {
    type: "object",
    required: ["checked", "repaired", "lost"],
    properties: {
      checked: { type: "integer", description: "Copies that were read and verified" },
      repaired: { type: "integer" },
      lost: { type: "integer", description: "Copies that no other node could give" },
    },
  },
  Status: {
    type: "object",
    required: ["status"],
    properties: { status: { type: "string" } },
  },
};
