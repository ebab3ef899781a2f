import { chunkName, isId } from "../protocol/names.ts";
import { partsMax } from "../protocol/limits.ts";

/**
 * Where a chunk's bytes are. `staging`: received, not committed. `placed`: part of the catalog's
 * record, in `content/` (the holder's copy) or `backup/`. `retired`: of a version that was replaced.
 */
export type Place = "staging" | "placed" | "retired";

/** What names the bytes of one part of one push. A node has at most one copy of them. */
export interface ChunkKey {
  readonly pushId: string;
  /** Counted from 0. */
  readonly part: number;
}

/** What names a file in `content/` or `backup/`; versions of a file share it. */
export interface ChunkSlot {
  readonly name: string;
  readonly part: number;
  readonly parts: number;
  /** 0: the holder's copy, which goes to `content/`; above: a backup. */
  readonly copy: number;
}

/** The names of everything in a node's directory. */
export class StorePaths {
  readonly root: string;
  readonly staging: string;
  readonly content: string;
  readonly backup: string;
  readonly retired: string;
  readonly quarantine: string;
  readonly catalog: string;
  readonly incarnation: string;

  constructor(root: string) {
    this.root = root;
    this.staging = `${root}/staging`;
    this.content = `${root}/content`;
    this.backup = `${root}/backup`;
    this.retired = `${root}/retired`;
    this.quarantine = `${root}/quarantine`;
    this.catalog = `${root}/catalog.db`;
    this.incarnation = `${root}/incarnation`;
  }

  /** The directories that hold chunks. */
  get directories(): string[] {
    return [this.staging, this.content, this.backup, this.retired, this.quarantine];
  }

  /** The file of a chunk in `place`. In `staging/` and `retired/` the file name is the chunk's key. */
  file(place: Place, chunk: ChunkKey & ChunkSlot): string {
    switch (place) {
      case "staging":
        return `${this.staging}/${formatKey(chunk)}`;
      case "retired":
        return `${this.retired}/${formatKey(chunk)}`;
      case "placed":
        return this.slot(chunk);
    }
  }

  /** The file that the current version of a chunk has. */
  slot(slot: ChunkSlot): string {
    const directory = slot.copy === 0 ? this.content : this.backup;
    return `${directory}/${chunkName(slot.name, slot.part, slot.parts)}`;
  }
}

/** A chunk's key as text, which is also its file name in `staging/` and `retired/`. */
export function formatKey({ pushId, part }: ChunkKey): string {
  return `${pushId}.${part}`;
}

/** The inverse of {@linkcode formatKey}; `undefined` for any other text. */
export function parseKey(text: string): ChunkKey | undefined {
  const match = /^([^.]+)\.(0|[1-9][0-9]{0,4})$/.exec(text);
  const pushId = match?.[1] ?? "";
  const part = Number(match?.[2]);
  return isId(pushId) && part < partsMax ? { pushId, part } : undefined;
}

/** The directory that a path is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}
