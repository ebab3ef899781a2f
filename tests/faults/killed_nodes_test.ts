/**
 * Nodes die by SIGKILL: one at rest and one that is being read from, two neighbours, all of them with
 * the gateway. What was acknowledged is right at once where it can be, and soon everywhere.
 *
 * @module
 */
import { killedNodesTest } from "../support/faults/killed_nodes.ts";

killedNodesTest({ isLong: false });
