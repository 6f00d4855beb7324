import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { fileVersion, type FileVersions } from '../gateway/config/file-version.ts';
import { ConfigWatch } from './config-watch.ts';

/** Milliseconds a test waits for what has to happen. */
const PATIENCE_MS = 15_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-watch-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function versionsOf(...paths: readonly string[]): FileVersions {
  return new Map(paths.map((path) => [path, fileVersion(path)]));
}

/** How often it told, and a wait for the next time. */
class Told {
  times = 0;
  #next: () => void = () => {};

  readonly changed = (): void => {
    this.times += 1;
    this.#next();
  };

  async next(act: () => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('in vain: a change')), PATIENCE_MS);
      this.#next = () => {
        clearTimeout(late);
        resolve();
      };
      act();
    });
  }
}

function watching(files: FileVersions): { readonly watch: ConfigWatch; readonly told: Told } {
  const told = new Told();
  const watch = new ConfigWatch(files, told.changed);
  onTestFinished(() => watch.close());
  return { watch, told };
}

describe('the watch of a config', () => {
  it('tells of every file it was read from, in whatever folder', async () => {
    mkdirSync(join(folder, 'far'));
    const [config, policy] = [write('c.yaml', '1'), write('far/p.cedar', '1')];
    const { told } = watching(versionsOf(config, policy));
    await told.next(() => write('far/p.cedar', '22'));
    await told.next(() => write('c.yaml', '22'));
    expect(told.times).toBe(2);
  });

  it('tells once of files that change together', async () => {
    const [config, policy] = [write('c.yaml', '1'), write('p.cedar', '1')];
    const { told } = watching(versionsOf(config, policy));
    await told.next(() => {
      write('c.yaml', '22');
      write('p.cedar', '22');
    });
    await told.next(() => write('c.yaml', '333'));
    expect(told.times).toBe(2);
  });

  it('follows a file that is replaced, and waits for one that is gone', async () => {
    const policy = write('p.cedar', '1');
    const { told } = watching(versionsOf(policy));
    await told.next(() => renameSync(write('p.cedar~', '22'), policy));
    unlinkSync(policy);
    await told.next(() => write('p.cedar', '333'));
    expect(told.times).toBe(2);
  });

  it('tells of a change between the reading and the watch', async () => {
    const files = versionsOf(write('c.yaml', '1'));
    write('c.yaml', '22');
    const told = new Told();
    await told.next(() => {
      const watch = new ConfigWatch(files, told.changed);
      onTestFinished(() => watch.close());
    });
  });

  it('watches what the config names now, one that is not there yet included', async () => {
    const config = write('c.yaml', '1');
    const [before, after] = [write('before.cedar', '1'), join(folder, 'after.cedar')];
    const { watch, told } = watching(versionsOf(config, before));
    watch.follow(versionsOf(config, after));
    const other = watching(versionsOf(before));
    await other.told.next(() => write('before.cedar', '22'));
    expect(told.times).toBe(0);
    await told.next(() => write('after.cedar', '1'));
    expect(told.times).toBe(1);
  });

  it('tells of a file that never rests, too', async () => {
    const policy = write('p.cedar', '1');
    const { told } = watching(versionsOf(policy));
    let text = '1';
    const writer = setInterval(() => write('p.cedar', (text += '1')), 20);
    onTestFinished(() => clearInterval(writer));
    await told.next(() => {});
  });

  it('tells nothing once it is closed', async () => {
    const policy = write('p.cedar', '1');
    const { watch, told } = watching(versionsOf(policy));
    watch.close();
    const other = watching(versionsOf(policy));
    await other.told.next(() => write('p.cedar', '22'));
    expect(told.times).toBe(0);
  });
});
