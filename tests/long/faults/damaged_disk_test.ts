/**
 * Directories are wiped, chunks flipped, truncated and removed, catalogs removed and overwritten: every
 * file reads right all the time, and the ring brings back what was lost.
 *
 * @module
 */
import { damagedDiskTest } from "../../support/faults/damaged_disk.ts";

damagedDiskTest({ isLong: true });
