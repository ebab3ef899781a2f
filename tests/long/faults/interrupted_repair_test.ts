/**
 * Nodes die in the middle of a repair: one that fills its wiped directory again or rebuilds its catalog,
 * one that gives it the copies, or all of them. What was acknowledged is as right as before, and the repair
 * goes on where it was.
 *
 * @module
 */
import { interruptedRepairTest } from "../../support/faults/interrupted_repair.ts";

interruptedRepairTest({ isLong: true });
