/**
 * Bytes that no client sends, on the ports of nodes and gateway: whatever comes, the process stays, its
 * memory too, the next command is answered, and what is stored stays as it is.
 *
 * @module
 */
import { lineFuzzTest } from "../../support/faults/line_fuzz.ts";
import { seedsOr } from "../../support/fuzz.ts";

lineFuzzTest(seedsOr(3, 4, 5));
