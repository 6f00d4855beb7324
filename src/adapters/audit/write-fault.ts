/** Whether a record can be kept at a path, as far as the disk tells while nothing is written. */
import { accessSync, constants, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export type WriteFault = 'file' | 'folder' | 'full';

/** What is asked of the disk. */
export interface Disk {
  /** Throws when it may not be. */
  access(path: string, mode: number): void;
  room(path: string): { readonly blocks: number; readonly bavail: number };
}

const DISK: Disk = { access: accessSync, room: (path) => statfsSync(path) };

/** @param path - in a folder that is there. Undefined: nothing is known to be in the way. */
export function writeFault(path: string, disk: Disk = DISK): WriteFault | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    return 'file';
  }
  const { R_OK, W_OK, X_OK } = constants;
  if (found !== undefined && !isAllowed(disk, path, R_OK | W_OK)) return 'file';
  // A pipe is neither put aside nor kept by one process, and takes no room.
  if (found !== undefined && !found.isFile()) return undefined;
  const folder = dirname(path);
  if (!isAllowed(disk, folder, W_OK | X_OK)) return 'folder';
  return isFull(disk, folder) ? 'full' : undefined;
}

function isAllowed(disk: Disk, path: string, mode: number): boolean {
  try {
    disk.access(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Some file systems have no blocks to count. */
function isFull(disk: Disk, folder: string): boolean {
  try {
    const { blocks, bavail } = disk.room(folder);
    return blocks > 0 && bavail <= 0;
  } catch {
    return false;
  }
}
