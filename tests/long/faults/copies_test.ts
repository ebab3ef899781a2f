/**
 * `--copies`: how many disks may be lost at once, neighbours' included.
 *
 * @module
 */
import { copiesTest } from "../../support/faults/copies.ts";

copiesTest({ isLong: true });
