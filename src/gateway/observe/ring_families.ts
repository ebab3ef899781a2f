import { portOf } from "../../protocol/address.ts";
import { type MetricFamily, type Sample, sample } from "./metric_family.ts";
import { nodeFamilies, type NodeFamily } from "./node_families.ts";
import type { ScrapedNode } from "./node_scraper.ts";
import { keyOf, type RingTotals } from "./ring_totals.ts";

/**
 * What is told of the nodes, by node and for the ring as a whole. Both have the same metrics, under
 * `ouroboros_node_` with a label `node`, and under `ouroboros_ring_`.
 */
export function ringFamilies(
  nodes: readonly ScrapedNode[],
  totals: RingTotals,
): MetricFamily[] {
  return [
    ...statusFamilies(nodes),
    ...nodeFamilies.map((family) => ofNodes(family, nodes)),
    ...nodeFamilies.filter(({ ring }) => ring !== "none")
      .map((family) => ofRing(family, nodes, totals)),
  ];
}

/** Who is there. */
function statusFamilies(nodes: readonly ScrapedNode[]): MetricFamily[] {
  const countOf = (wanted: ScrapedNode["status"]) =>
    nodes.filter(({ status }) => status === wanted).length;
  return [
    {
      name: "ouroboros_ring_nodes",
      help: "Nodes by what the ring said of them when the gateway last looked (--poll).",
      type: "gauge",
      samples: [
        sample(countOf("Alive"), { state: "alive" }),
        sample(countOf("Dead"), { state: "dead" }),
        sample(countOf("unknown"), { state: "unknown" }),
      ],
    },
    {
      name: "ouroboros_node_up",
      help: "1 when the node has answered this scrape.",
      type: "gauge",
      samples: nodes.map((node) => sample(Number(node.isUp), nodeLabels(node))),
    },
    {
      name: "ouroboros_node_alive",
      help: "1 when the ring says that the node is alive.",
      type: "gauge",
      samples: nodes.map((node) => sample(Number(node.status === "Alive"), nodeLabels(node))),
    },
    {
      name: "ouroboros_node_info",
      help: "1, with what the node is; a node of the original program tells nothing else.",
      type: "gauge",
      samples: nodes.filter(({ isUp }) => isUp).map((node) =>
        sample(1, {
          ...nodeLabels(node),
          port: String(portOf(node.address)),
          program: node.metrics === undefined ? "original" : "ouroboros",
          version: node.metrics?.version ?? "",
        })
      ),
    },
  ];
}

function ofNodes(family: NodeFamily, nodes: readonly ScrapedNode[]): MetricFamily {
  const { help, name, type } = family;
  const samples = nodes.flatMap((node) =>
    node.metrics === undefined ? [] : family.read(node.metrics).map((each) => ({
      ...each,
      labels: { ...nodeLabels(node), ...each.labels },
    }))
  );
  return { name: `ouroboros_node_${name}`, help, type, samples };
}

function ofRing(
  family: NodeFamily,
  nodes: readonly ScrapedNode[],
  totals: RingTotals,
): MetricFamily {
  const { help, name, type } = family;
  const samples = type === "gauge" ? mergedGauges(family, nodes) : totals.samples(family);
  return {
    name: `ouroboros_ring_${name}`,
    help: `Of the ring: ${lowerFirst(help)}`,
    type,
    samples,
  };
}

/** What the nodes that answer say together. */
function mergedGauges(family: NodeFamily, nodes: readonly ScrapedNode[]): Sample[] {
  const merged = new Map<string, Sample>();
  for (const { metrics } of nodes) {
    if (metrics === undefined) continue;
    for (const each of family.read(metrics)) {
      const known = merged.get(keyOf(each));
      const value = known === undefined ? each.value : merge(family.ring, known.value, each.value);
      merged.set(keyOf(each), { ...each, value });
    }
  }
  return [...merged.values()];
}

function merge(how: NodeFamily["ring"], a: number, b: number): number {
  switch (how) {
    case "max":
      return Math.max(a, b);
    case "min":
      return Math.min(a, b);
    case "sum":
    case "none":
      return a + b;
  }
}

function nodeLabels({ address }: ScrapedNode): { readonly node: string } {
  return { node: address };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
