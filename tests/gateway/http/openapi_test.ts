import { assert, assertEquals } from "@std/assert";
import { Balancer } from "../../../src/gateway/balancer.ts";
import { type HttpDependencies, routedApp } from "../../../src/gateway/http/app.ts";
import { openApiDocument } from "../../../src/gateway/http/openapi.ts";
import { RingAccess } from "../../../src/gateway/http/ring_access.ts";
import { Spool } from "../../../src/gateway/http/spool.ts";
import { Observation } from "../../../src/gateway/observe/observation.ts";
import { NodePicker } from "../../../src/gateway/node_picker.ts";
import { defaultHttpOptions } from "../../../src/gateway/options.ts";
import { PeerPool } from "../../../src/net/peer_pool.ts";
import { Watchdog } from "../../../src/net/watchdog.ts";
import { formatAddress } from "../../../src/protocol/address.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeTransport } from "../../support/fake_transport.ts";

/** What an operation of the description is looked at for. */
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const document = openApiDocument();
const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
);

Deno.test("every route is described, and every described route is there", async () => {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const watchdog = new Watchdog(clock);
  using peers = new PeerPool({ transport, watchdog, clock });
  const picker = new NodePicker([]);
  const log = silentLogger;
  const balancer = new Balancer(picker, "first");
  const ring = new RingAccess({ pool: peers, picker, balancer, clock, log });
  const self = formatAddress("127.0.0.1", 8000);
  const hostname = "127.0.0.1";
  const observed = { transport, watchdog, clock, log, picker, peers, hostname, self };
  const { events, metrics } = new Observation(observed);
  await using spool = await Spool.open(undefined);
  const dependencies: HttpDependencies = {
    ...{ ring, picker, spool, clock, log, events, metrics },
    options: defaultHttpOptions,
  };
  const routes = routedApp(dependencies).routes.map(({ method, path }) =>
    `${method} ${path.replace(/:([a-z]+)(\{[^}]*\})?/g, "{$1}")}`
  );
  const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
  assertEquals(described.toSorted(), [...new Set(routes)].toSorted());
});

Deno.test("the description is complete in itself", { permissions: "none" }, () => {
  const text = JSON.stringify(document);
  for (const [, pointer = ""] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let at: unknown = document;
    for (const key of pointer.split("/")) at = (at as Record<string, unknown>)[key];
    assert(at !== undefined, pointer);
  }
  const ids = operations.map(({ operation }) => operation.operationId);
  assertEquals(ids.length, new Set(ids).size);
  for (const { path, method, operation } of operations) {
    const said = `${method} ${path}`;
    assert(operation.summary.length > 0, said);
    const statuses = Object.keys(operation.responses);
    assert(statuses.some((status) => status.startsWith("2")), said);
    for (const response of Object.values(operation.responses)) {
      assert(response.description.length > 0, said);
    }
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    assertEquals(
      inPath.map(({ name }) => name),
      [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name),
      said,
    );
  }
});
