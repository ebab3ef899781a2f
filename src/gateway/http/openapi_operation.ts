/** One operation, as far as they differ. */
export interface OperationSpec {
  readonly tag: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly unknown[];
  readonly requestBody?: unknown;
  /** The answers that are no problems, by status. */
  readonly answers: Readonly<Record<number, unknown>>;
  /** The statuses of the problems that a client should expect. */
  readonly problems?: readonly number[];
}

/** An operation as OpenAPI has it. */
export function operation(spec: OperationSpec): unknown {
  const { tag, id, summary, description, parameters, requestBody, answers, problems = [] } = spec;
  const refused = Object.fromEntries(problems.map((status) => [status, problem(status)]));
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(requestBody !== undefined && { requestBody }),
    responses: { ...answers, ...refused },
  };
}

function problem(status: number): unknown {
  return {
    description: meanings[status] ?? "A problem",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}

/** What the statuses of problems mean here. */
const meanings: Readonly<Record<number, string>> = {
  400: "The name, a header or the body is not what it should be; nothing was stored",
  403: "Not allowed: a foreign page or Host, or a flag of the gateway is missing",
  404: "There is no such file or node",
  408: "The client stopped sending; nothing was stored",
  412: "A condition is not fulfilled; nothing was changed",
  413: "The ring takes no file of this size",
  415: "Content-Encoding is not taken",
  416: "The range lies outside of the file",
  500: "Outcome unknown: the change may or may not last",
  503: "No node serves this now; try again",
  504: "A node did not answer in time",
  507: "A disk is full",
};

/** An answer in JSON. */
export function json(description: string, schema: string, headers?: unknown): unknown {
  return {
    description,
    ...(headers !== undefined && { headers }),
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}

/** The answer that is a file, or some of it. */
export function bytes(description: string): unknown {
  return {
    description,
    headers: fileHeaders,
    content: { "*/*": { schema: { type: "string", format: "binary" } } },
  };
}

/** A header that a client may send. */
export function header(name: string, description: string): unknown {
  return { name, in: "header", description, schema: { type: "string" } };
}

/** A parameter behind the question mark. */
export function query(
  name: string,
  description: string,
  schema: unknown = { type: "string" },
): unknown {
  return { name, in: "query", description, schema };
}

/** A part of the path. */
export function inPath(
  name: string,
  description: string,
  schema: unknown = { type: "string" },
): unknown {
  return { name, in: "path", required: true, description, schema };
}

/** A header of an answer. */
export const textHeader = { schema: { type: "string" } };

/** The headers of every answer that is a file. */
export const fileHeaders = {
  "ETag": { ...textHeader, description: "The version in quotes, strong" },
  "Last-Modified": textHeader,
  "Accept-Ranges": textHeader,
  "Repr-Digest": { ...textHeader, description: "SHA-256 of the whole file (RFC 9530)" },
  "Digest": { ...textHeader, description: "The same as RFC 3230 writes it" },
};
