import type { Placement } from "../ring/placement.ts";
import type { NodeContext } from "./context.ts";
import type { Route } from "./part_stream.ts";

/** Where a push goes, and which way. */
export interface PushPlan {
  readonly placement: Placement;
  readonly route: Route;
}

/**
 * Plans a push of `size` bytes over the nodes that are Alive now.
 *
 * Direct placement and files of fewer parts than nodes are not for a ring with original nodes, nor
 * while it is not known what a node is: they expect a part of every file.
 *
 * @throws {Error} `not enough nodes alive (1 of 2)`; or when `--placement direct` was asked for and not
 * every node is known to speak it.
 */
export function planPush(context: NodeContext, size: number): PushPlan {
  const { options, ring, self } = context;
  const { copies, partBytesMin } = options;
  const placement = ring.placement({ copies, size, partBytesMin: 0 });
  const isOurs = placement.nodes.every((node) =>
    node === self || ring.programOf(node) === "ouroboros"
  );
  if (!isOurs) {
    if (options.placement !== "direct") return { placement, route: "relay" };
    throw new Error("not every node of the ring speaks direct placement");
  }
  return {
    placement: partBytesMin === 0 ? placement : ring.placement({ copies, size, partBytesMin }),
    route: options.placement === "relay" ? "relay" : "direct",
  };
}
