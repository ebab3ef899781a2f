/**
 * The files of a catalog are removed under its running node: it notices at its next look, and what it
 * acknowledges in between is as durable as ever.
 *
 * @module
 */
import { removedCatalogTest } from "../../support/faults/removed_catalog.ts";

removedCatalogTest({ isLong: true });
