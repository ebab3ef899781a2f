/**
 * The disk of one node is full: pushes that need it are refused, what was acknowledged before stays, and
 * all is well once there is space again. Needs root, for a small disk in memory.
 *
 * @module
 */
import { fullDiskTest } from "../support/faults/full_disk.ts";

fullDiskTest({ isLong: false });
