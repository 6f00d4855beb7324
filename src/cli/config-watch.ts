/**
 * Tells when one of the files changed that a config was read from: the config, its policies, the
 * certificates it names. Folders are watched, not files: editors replace files, and Kubernetes
 * swaps a link beside them. The files are also looked at now and then, for file systems and folders
 * that tell nothing.
 */
import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileVersion, type FileVersions } from '../gateway/config/file-version.ts';

/** Milliseconds the files have to stay the same before they are read: nobody writes them now. */
const SETTLED_MS = 150;
/** How often that is waited for; a file that never rests is read as it is, not never. */
const SETTLES_MAX = 20;
const LOOK_MS = 5000;
/** Milliseconds from the news of a folder to a look at the files: a busy folder has much news. */
const SOON_MS = 50;
/** Folders that are watched; files of others are looked at every `LOOK_MS`. */
const FOLDERS_MAX = 64;

export class ConfigWatch {
  readonly #changed: () => void;
  readonly #looks: NodeJS.Timeout;
  #watchers: FSWatcher[] = [];
  #folders = '';
  #soon: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #settles = 0;
  /** As they were when they were read or told of last. */
  #told: Map<string, string | undefined>;
  #seen: FileVersions = new Map();

  /**
   * @param files - as they were when they were read: what changed since is a change.
   * @param changed - called after changes that belong together, and not for a file that is gone
   * until it is back.
   */
  constructor(files: FileVersions, changed: () => void) {
    this.#told = new Map(files);
    this.#changed = changed;
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
    this.#looks.unref();
    this.#look();
  }

  /** Watches these from now on. They were read just now, so what they say is known. */
  follow(files: FileVersions): void {
    this.#told = new Map(files);
    this.#look();
  }

  close(): void {
    clearInterval(this.#looks);
    clearTimeout(this.#soon);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #look(): void {
    this.#watchFolders();
    if (this.#settling !== undefined) return;
    this.#settles = 0;
    if (!isDeepStrictEqual(this.#now(), this.#told)) this.#settle();
  }

  #settle(): void {
    this.#settles += 1;
    this.#seen = this.#now();
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      const now = this.#now();
      const isSettled = isDeepStrictEqual(now, this.#seen) || this.#settles >= SETTLES_MAX;
      if (isSettled) this.#tell(now);
      else this.#settle();
    }, SETTLED_MS);
  }

  #tell(now: FileVersions): void {
    let isTold = true;
    for (const [path, version] of now) {
      if (version === undefined || version === this.#told.get(path)) continue;
      this.#told.set(path, version);
      isTold = false;
    }
    if (!isTold) this.#changed();
  }

  #now(): FileVersions {
    return new Map(Array.from(this.#told.keys(), (path) => [path, fileVersion(path)]));
  }

  /** Watches the folders of the paths, and of the files that they lead to. */
  #watchFolders(): void {
    const folders = [...new Set([...this.#told.keys()].flatMap(foldersOf))].slice(0, FOLDERS_MAX);
    const key = folders.join('\n');
    if (key === this.#folders) return;
    this.#folders = key;
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = folders.flatMap((folder) => this.#watcher(folder) ?? []);
  }

  #watcher(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => {
        // The folder is gone; the next look finds it again.
        this.#folders = '';
      });
      return watcher;
    } catch {
      return undefined;
    }
  }

  #lookSoon(): void {
    if (this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, SOON_MS);
    this.#soon.unref();
  }
}

function foldersOf(path: string): readonly string[] {
  try {
    return [dirname(path), dirname(realpathSync(path))];
  } catch {
    return [dirname(path)];
  }
}
