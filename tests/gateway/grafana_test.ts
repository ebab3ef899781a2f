/**
 * The dashboard of `scripts/grafana` asks for nothing that the gateway does not tell.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { GatewayMetrics } from "../../src/gateway/observe/gateway_metrics.ts";
import { Traffic } from "../../src/gateway/observe/traffic.ts";
import { noCounts, operations, parseMetrics } from "../../src/protocol/node_metrics.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { address } from "../support/fake_transport.ts";
import { type ExposedFamily, parseExposition } from "../support/exposition.ts";

/** What is used here of a dashboard. */
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}

const url = new URL("../../scripts/grafana/ouroboros.json", import.meta.url);
const dashboard: Dashboard = JSON.parse(await Deno.readTextFile(url));
const drawn = dashboard.panels.filter(({ type }) => type !== "row");
const queries = drawn.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat }))
);

/** Everything that a gateway tells of a node that has done everything once. */
async function toldFamilies(): Promise<Map<string, ExposedFamily>> {
  const metrics = {
    ...parseMetrics('{"run":"a","disk":{"freeBytes":1,"sizeBytes":2}}'),
    operations: Object.fromEntries(operations.map((operation) => [operation, noCounts()])),
  };
  const node = {
    address: address("127.0.0.1:7000"),
    status: "Alive",
    isUp: true,
    metrics,
  } as const;
  const gateway = new GatewayMetrics({
    clock: new FakeClock(),
    traffic: new Traffic(),
    scraper: { scrape: () => Promise.resolve([node]) },
    eventListeners: () => 0,
  });
  gateway.answered({ operation: "read", method: "GET", status: 200, ms: 1 });
  return parseExposition((await gateway.expose()).text);
}

Deno.test("every metric and label of the Grafana dashboard is told by the gateway", async () => {
  const families = await toldFamilies();
  const samples = [...families.values()].flatMap((family) => family.samples);
  const byName = Map.groupBy(samples, ({ name }) => name);
  const wrong: string[] = [];
  for (const { title, expr, legendFormat } of queries) {
    for (const [, name = "", matchers = ""] of expr.matchAll(/(ouroboros_\w+)(?:\{([^}]*)\})?/g)) {
      const series = byName.get(name);
      if (series === undefined) {
        wrong.push(`${title}: there is no ${name}`);
        continue;
      }
      for (
        const [, label = "", how = "", value = ""] of matchers.matchAll(/(\w+)(=~?)"([^"]*)"/g)
      ) {
        const wanted = how === "=" ? [value] : value.split("|");
        const values = new Set(series.map(({ labels }) => labels[label]));
        for (const each of wanted) {
          if (!each.startsWith("$") && !values.has(each)) {
            wrong.push(`${title}: no ${name} has ${label}="${each}"`);
          }
        }
        if (values.has(undefined)) wrong.push(`${title}: ${name} has no label ${label}`);
      }
      const named = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
        list.split(", ")
      );
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      for (const label of [...named, ...shown].filter((each) => each !== "instance")) {
        const isThere = series.some(({ labels }) => label in labels);
        if (!isThere) wrong.push(`${title}: ${name} has no label ${label}`);
      }
    }
  }
  assertEquals(wrong, []);
  assert(queries.length > 40);
  assertEquals(queries.filter(({ expr }) => !/ouroboros_/.test(expr)), []);
});

Deno.test("the Grafana dashboard counts rates of what counts, and none of what does not", async () => {
  const families = await toldFamilies();
  for (const { title, expr } of queries) {
    for (const [, rate, name = ""] of expr.matchAll(/((?:rate|increase)\()?(ouroboros_\w+)/g)) {
      const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
      assertEquals(rate !== undefined, family?.type !== "gauge", `${title}: ${name}`);
    }
  }
});

Deno.test("the panels of the Grafana dashboard say what they show, side by side", () => {
  assertEquals(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
    assert(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const other = taken.get(`${column} ${line}`);
        assertEquals(other, undefined, `${title} lies on ${other}`);
        taken.set(`${column} ${line}`, title);
      }
    }
  }
  for (const { title, description = "", fieldConfig, targets = [] } of drawn) {
    assert(description.endsWith("."), title);
    assert(fieldConfig?.defaults.unit, title);
    assert(targets.length > 0, title);
  }
  assertEquals(dashboard.templating.list.map(({ name }) => name), ["datasource", "node"]);
});
