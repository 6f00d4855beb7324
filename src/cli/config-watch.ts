/**
 * Tells when a config file changed. The folder is watched, not the file: editors replace files, and
 * Kubernetes swaps a link beside them. The file is also looked at now and then, for file systems
 * and folders that tell nothing.
 */
import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds a file has to stay the same before it is read: nobody writes it any more. */
const SETTLED_MS = 150;
const LOOK_MS = 5000;

export class ConfigWatch {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #looks: NodeJS.Timeout;
  #watchers: FSWatcher[] = [];
  #folders = '';
  #settling: NodeJS.Timeout | undefined;
  /** As it was when it was told of last; undefined while there is no such file. */
  #told: string | undefined;
  #seen: string | undefined;

  /**
   * @param path - absolute.
   * @param changed - called after each change, and not for a file that is gone until it is back.
   */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#told = this.#seen = versionOf(path);
    this.#follow();
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
    this.#looks.unref();
  }

  close(): void {
    clearInterval(this.#looks);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #look(): void {
    this.#follow();
    const version = versionOf(this.#path);
    if (version === this.#told) this.#seen = version;
    else if (this.#settling === undefined) this.#settle(version);
  }

  #settle(version: string | undefined): void {
    this.#seen = version;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      const now = versionOf(this.#path);
      if (now === undefined || now === this.#told) return;
      if (now !== this.#seen) {
        this.#settle(now);
        return;
      }
      this.#told = now;
      this.#changed();
    }, SETTLED_MS);
  }

  /** Watches the folder of the path, and of the file that it leads to. */
  #follow(): void {
    const folders = foldersOf(this.#path);
    const key = folders.join('\n');
    if (key === this.#folders) return;
    this.#folders = key;
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = folders.flatMap((folder) => this.#watcher(folder) ?? []);
  }

  #watcher(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#look());
      watcher.on('error', () => {
        // The folder is gone; the next look finds it again.
        this.#folders = '';
      });
      return watcher;
    } catch {
      return undefined;
    }
  }
}

function foldersOf(path: string): readonly string[] {
  try {
    return [...new Set([dirname(path), dirname(realpathSync(path))])];
  } catch {
    return [dirname(path)];
  }
}

/** What differs whenever the content may differ. */
function versionOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return undefined;
  }
}
