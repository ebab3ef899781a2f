import type { Logger } from "../runtime/log.ts";
import { CatalogConnection } from "./catalog_connection.ts";
import { CatalogDamagedError, isNotFound } from "./errors.ts";
import { removeIfThere, statIfThere } from "./if_there.ts";

/** Damaged databases that are kept for people to look at; of more, the newest take the last place. */
const damagedFilesMax = 8;

/** How an open found the catalog's file. */
export interface OpenedCatalog {
  readonly connection: CatalogConnection;
  /** `missing`: there was no file. `damaged`: there was one, now moved aside. Both: it is empty. */
  readonly found: "good" | "missing" | "damaged";
}

/**
 * Opens the database at `path`; one that cannot be read is moved aside. In the place of one that is not
 * there comes what a salvage was about to put there, else a new one.
 */
export function openCatalogFile(path: string, log: Logger): OpenedCatalog {
  removeIfThere(temporaryPath(path));
  const isThere = exists(path);
  if (isThere) {
    try {
      const connection = new CatalogConnection(path);
      removeIfThere(salvagedPath(path));
      return { connection, found: connection.isFresh ? "damaged" : "good" };
    } catch (error) {
      if (!(error instanceof CatalogDamagedError)) throw error;
      log.error("catalog damaged", { reason: error.message });
    }
  }
  // Without a database there may still be its log, which must not be taken for that of the next one.
  moveAside(path, log);
  if (exists(salvagedPath(path))) {
    Deno.renameSync(salvagedPath(path), path);
    return { connection: new CatalogConnection(path), found: "good" };
  }
  return { connection: new CatalogConnection(path), found: isThere ? "damaged" : "missing" };
}

/**
 * Writes what an open connection still has to a new file, which takes the place of whatever is at
 * `path` now, and opens that. Closes the connection. Ends in a file that is synced; blocks the process
 * for as long as it takes to write the whole catalog.
 *
 * A crash in between leaves the old file, or none and the complete new one under a name that
 * {@linkcode openCatalogFile} knows.
 *
 * @throws {CatalogDamagedError} if the connection cannot be read, what SQLite or the system throws if
 * the copy cannot be written; the connection is still open then
 */
export function salvageCatalog(connection: CatalogConnection, log: Logger): CatalogConnection {
  const { path } = connection.database;
  const temporary = temporaryPath(path);
  removeIfThere(temporary);
  connection.copyTo(temporary);
  syncFile(temporary);
  Deno.renameSync(temporary, salvagedPath(path));
  closeDamaged(connection, log);
  moveAside(path, log);
  return openCatalogFile(path, log).connection;
}

/** Closes a connection that cannot be read, moves its file aside and makes a new one. */
export function replaceCatalog(connection: CatalogConnection, log: Logger): CatalogConnection {
  const { path } = connection.database;
  closeDamaged(connection, log);
  moveAside(path, log);
  return openCatalogFile(path, log).connection;
}

function closeDamaged(connection: CatalogConnection, log: Logger): void {
  try {
    connection[Symbol.dispose]();
  } catch (error) {
    // Nothing of it is wanted any more, and its lock goes with its file.
    log.warn("damaged catalog not closed", { error });
  }
}

function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

function salvagedPath(path: string): string {
  return `${path}.salvaged`;
}

/** Renames the database and its log, if they are there, to `….damaged-<n>`. */
function moveAside(path: string, log: Logger): void {
  let number = 1;
  while (number < damagedFilesMax && exists(`${path}.damaged-${number}`)) number++;
  for (const suffix of ["", "-wal", "-shm"]) {
    const from = path + suffix;
    const to = `${path}.damaged-${number}${suffix}`;
    try {
      Deno.renameSync(from, to);
      log.warn("catalog file moved aside", { to: to.slice(to.lastIndexOf("/") + 1) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function syncFile(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  file.syncSync();
}

function exists(path: string): boolean {
  return statIfThere(path) !== undefined;
}
