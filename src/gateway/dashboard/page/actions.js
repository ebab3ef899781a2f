// @ts-check
import {
  askFile,
  askFiles,
  askNode,
  deleteFile,
  healRing,
  problemOf,
  scrubRing,
} from "./api/gateway.js";
import { startUpload } from "./api/upload.js";
import { nextSort } from "./model/file_list.js";
import { isAbort } from "./model/problem.js";
import { nodeLabel, scrubResult } from "./model/ring_events.js";
import { nextUpload, uploadsMax } from "./model/uploads.js";

/** @import { SortKey } from "./model/file_list.js" */
/** @import { Problem } from "./model/problem.js" */
/** @import { Task } from "./model/state.js" */
/** @import { Store } from "./model/store.js" */
/** @import { Upload } from "./model/uploads.js" */

/** What a user can do on the page. */
export class Actions {
  #store;
  #lastId = 0;
  /** @type {Map<number, File>} The files of the uploads that are not finished. */
  #files = new Map();
  /** @type {Map<number, () => void>} */
  #cancels = new Map();
  /** @type {AbortController | undefined} Of the list of files that is being loaded. */
  #listing;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * Shows what a node has, or nothing of any when it is shown already.
   *
   * @param {string} address
   */
  async selectNode(address) {
    const { selection } = this.#store.state;
    if (selection?.kind === "node" && selection.address === address) return this.deselect();
    this.#store.apply({ kind: "select", selection: { kind: "node", address } });
    await this.refreshSelection();
  }

  /**
   * Shows where a file lies, or no longer.
   *
   * @param {string} name
   */
  async selectFile(name) {
    const { selection } = this.#store.state;
    if (selection?.kind === "file" && selection.name === name) return this.deselect();
    this.#store.apply({ kind: "select", selection: { kind: "file", name } });
    await this.refreshSelection();
  }

  /** Shows the ring as a whole. */
  deselect() {
    this.#store.apply({ kind: "select", selection: undefined });
  }

  /** Asks again for what is shown of the selected node or file. */
  async refreshSelection() {
    const { selection } = this.#store.state;
    if (selection === undefined) return;
    if (selection.kind === "node") {
      const { address } = selection;
      try {
        const figures = await askNode(nodeLabel(address));
        this.#store.apply({ kind: "node-detail", address, figures });
      } catch (error) {
        this.#store.apply({ kind: "node-detail", address, problem: problemOf(error) });
      }
      return;
    }
    const { name } = selection;
    try {
      this.#store.apply({ kind: "detail", name, detail: await askFile(name) });
    } catch (error) {
      this.#store.apply({ kind: "detail", name, problem: problemOf(error) });
    }
  }

  /**
   * Loads the list of files. What is loaded already stays in view until the new list is there.
   *
   * @returns {Promise<boolean>} Whether it is there.
   */
  async loadFiles() {
    this.#listing?.abort();
    const listing = this.#listing = new AbortController();
    try {
      await askFiles(this.#store.state.prefix, listing.signal, (rows, isWhole) => {
        if (!listing.signal.aborted) this.#store.apply({ kind: "files", rows, isWhole });
      });
      return true;
    } catch (error) {
      // A later list has taken its place.
      if (isAbort(error) || listing.signal.aborted) return false;
      if (!this.#store.state.filesLoaded) this.#tell("Cannot list the files", error);
      return false;
    }
  }

  /**
   * Shows only the files whose names begin so.
   *
   * @param {string} prefix
   */
  async search(prefix) {
    this.#store.apply({ kind: "prefix", prefix });
    await this.loadFiles();
  }

  /** @param {SortKey} key */
  sortBy(key) {
    this.#store.apply({ kind: "sort", sort: nextSort(this.#store.state.sort, key) });
  }

  /**
   * Queues files to be stored.
   *
   * @param {Iterable<File>} files
   */
  upload(files) {
    const { uploads } = this.#store.state;
    const room = uploadsMax - uploads.length;
    const taken = [...files];
    if (taken.length > room) {
      this.#notice(`Cannot queue ${taken.length} files`, {
        title: `At most ${uploadsMax} may wait at once`,
        detail: `The first ${room} were taken`,
        status: 0,
      });
    }
    const added = taken.slice(0, room).map((file) => this.#newUpload(file));
    this.#store.apply({ kind: "uploads", uploads: [...uploads, ...added] });
    this.#startNext();
  }

  /**
   * @param {File} file
   * @returns {Upload}
   */
  #newUpload(file) {
    const id = ++this.#lastId;
    this.#files.set(id, file);
    const { name, size } = file;
    return { id, name, size, state: "waiting", sent: 0, startedMs: 0, replace: false };
  }

  /** @param {number} id */
  cancelUpload(id) {
    this.#finishUpload(id, { state: "cancelled" });
  }

  /** Cancels all that wait or are on their way. */
  cancelUploads() {
    for (const id of [...this.#files.keys()]) this.cancelUpload(id);
  }

  /**
   * Stores a file although there is one of that name.
   *
   * @param {number} id
   */
  replaceByUpload(id) {
    this.#store.apply({ kind: "upload", id, change: { state: "waiting", sent: 0, replace: true } });
    this.#startNext();
  }

  /** Drops the uploads that are finished from the list. */
  clearUploads() {
    this.#store.apply({ kind: "uploads-cleared" });
  }

  #startNext() {
    const { nowMs, uploads } = this.#store.state;
    const upload = nextUpload(uploads);
    const file = upload && this.#files.get(upload.id);
    if (upload === undefined || file === undefined) return;
    const { id, replace } = upload;
    /** @param {Partial<Upload>} change */
    const change = (change) => this.#store.apply({ kind: "upload", id, change });
    change({ state: "sending", startedMs: nowMs });
    const cancel = startUpload(file, { replace }, {
      onProgress: (sent) => change({ sent: Math.min(sent, file.size) }),
      onSent: () => change({ state: "storing", sent: file.size }),
      onExists: () => {
        this.#cancels.delete(id);
        change({ state: "exists", sent: 0 });
        this.#startNext();
      },
      onStored: () => this.#finishUpload(id, { state: "stored", sent: file.size }),
      onFailed: ({ title, detail }) => {
        this.#finishUpload(id, { state: "failed", reason: detail || title });
      },
    });
    this.#cancels.set(id, cancel);
  }

  /**
   * @param {number} id
   * @param {Partial<Upload>} change
   */
  #finishUpload(id, change) {
    this.#cancels.get(id)?.();
    this.#cancels.delete(id);
    this.#files.delete(id);
    this.#store.apply({ kind: "upload", id, change });
    this.#startNext();
  }

  /**
   * Deletes a file. That there is one more event to come makes no difference: the list drops it once.
   *
   * @param {string} name
   */
  async delete(name) {
    try {
      await deleteFile(name);
      this.#store.apply({ kind: "file-gone", name });
    } catch (error) {
      this.#tell(`Cannot delete “${name}”`, error);
    }
  }

  /** Has every node checked now. */
  async heal() {
    await this.#run("heal", async () => {
      await healRing();
      return "Every node was checked";
    });
  }

  /** Has every stored byte verified now. */
  async scrub() {
    await this.#run("scrub", async () => `Verified ${scrubResult(await scrubRing())}`);
  }

  /**
   * @param {Task} task
   * @param {() => Promise<string>} job
   */
  async #run(task, job) {
    if (this.#store.state.tasks[task].state === "running") return;
    this.#store.apply({ kind: "task", task, state: { state: "running", text: "" } });
    try {
      const text = await job();
      this.#store.apply({ kind: "task", task, state: { state: "done", text } });
    } catch (error) {
      const { title, detail } = problemOf(error);
      this.#store.apply({ kind: "task", task, state: { state: "failed", text: detail || title } });
    }
  }

  /** @param {number} id */
  closeNotice(id) {
    this.#store.apply({ kind: "notice-closed", id });
  }

  /**
   * @param {string} doing
   * @param {unknown} error
   */
  #tell(doing, error) {
    this.#notice(doing, problemOf(error));
  }

  /**
   * @param {string} doing
   * @param {Problem} problem
   */
  #notice(doing, problem) {
    this.#store.apply({ kind: "notice", notice: { id: ++this.#lastId, doing, problem } });
  }
}
