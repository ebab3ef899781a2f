/**
 * Deletes: what `FILE DELETE` and `FILE STAT` answer, and that nothing brings a deleted file back: no
 * restart, no node that was away, no tombstone that was dropped too early.
 *
 * @module
 */
import { deletedFilesTest } from "../../support/faults/deleted_files.ts";

deletedFilesTest({ isLong: true });
