/**
 * Many versions of one name: through nodes with wrong clocks and nodes that were away, from clients at
 * once, and under the eyes of readers. What was acknowledged last is what everybody reads.
 *
 * @module
 */
import { versionsTest } from "../support/faults/versions.ts";

versionsTest({ isLong: false });
