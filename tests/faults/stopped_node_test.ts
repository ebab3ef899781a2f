/**
 * A node is stopped by SIGSTOP and goes on later, as when a machine sleeps: others answer for it
 * meanwhile, nobody takes its port, and when it goes on it has missed nothing that matters.
 *
 * @module
 */
import { stoppedNodeTest } from "../support/faults/stopped_node.ts";

stoppedNodeTest({ isLong: false });
