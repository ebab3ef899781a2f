import { errors } from "../protocol/errors.ts";
import type { NodeContext } from "./context.ts";
import { planPush } from "./push_plan.ts";

/**
 * Refuses what only a node that is up to date may do: one that may have missed an acknowledged version
 * serves nobody until it has caught up.
 *
 * @throws {Error} `stopping` or `catching up`.
 */
export function requireReady({ options, ring }: Pick<NodeContext, "options" | "ring">): void {
  const state = ring.state();
  if (state === "stopping") throw new Error(errors.stopping);
  const awaitsRing = options.awaitsRing === true && ring.next() === undefined;
  if (state !== "ready" || awaitsRing) throw new Error(errors.catchingUp);
}

/**
 * What to answer about a name that the catalog does not have. It has been some time since the command was
 * found ready to be served: a catalog that was lost meanwhile knows nothing.
 *
 * @throws {Error} as {@linkcode requireReady}.
 */
export function fileNotFound(context: Pick<NodeContext, "options" | "ring">): Error {
  requireReady(context);
  return new Error(errors.fileNotFound);
}

/**
 * Why a push of a small file through this node would be refused now, as far as this node can tell;
 * `undefined` when it would not. The other nodes' disks are theirs to look at.
 */
export function pushRefusal(context: NodeContext): string | undefined {
  try {
    requireReady(context);
    planPush(context, 1);
    context.admission.reserve(1)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
