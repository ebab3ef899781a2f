/**
 * Processes are killed while a node is stopped by SIGSTOP, its own or those of all others: what takes its
 * place, or goes on, has missed nothing that was acknowledged.
 *
 * @module
 */
import { endedWhileStoppedTest } from "../../support/faults/stopped_node.ts";

endedWhileStoppedTest();
