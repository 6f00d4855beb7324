import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Principal } from '../../../core/ports.ts';

/** For whom a child works: a principal of a tenant, anybody of a tenant, or nobody yet. */
export interface ChildOwner {
  readonly tenant: string | undefined;
  readonly caller: Principal | undefined;
}

export type WorkFolder =
  | { readonly kind: 'folder'; readonly path: string }
  /** `reason` is for the log. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Names that are folders on every system, and that differ in more than their case. */
const PLAIN_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;
/** A child that serves nobody yet: it is asked what it speaks, and ended. */
const NOBODYS = '_nobody';
const OTHERS_MAY_WRITE = 0o022;
const OURS_ALONE = 0o700;

/**
 * Where a child of this owner works below `base`: `<tenant>` or `<tenant>/<digest of the
 * principal>`. Two tenants never share one. Made when it is missing, for our own eyes (0700).
 *
 * The system does not keep children of one user out of each other's folders; a sandbox does.
 */
export function workFolder(base: string, owner: ChildOwner): WorkFolder {
  try {
    mkdirSync(base, { recursive: true, mode: OURS_ALONE });
    const fault = baseFault(base);
    if (fault !== undefined) return { kind: 'unusable', reason: fault };
    let path = base;
    for (const name of folderNames(owner)) {
      path = join(path, name);
      const wrong = keepToOurselves(path);
      if (wrong !== undefined) return { kind: 'unusable', reason: wrong };
    }
    return { kind: 'folder', path };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { kind: 'unusable', reason: `${code}: the working folder ${base} cannot be used` };
  }
}

export function folderNames({ tenant, caller }: ChildOwner): readonly string[] {
  if (caller !== undefined) return [tenantName(caller.tenant), digest(caller.key)];
  return [tenant === undefined ? NOBODYS : tenantName(tenant)];
}

/** Names that we make begin with `_`, as no plain name does. */
function tenantName(tenant: string): string {
  const isPlain = PLAIN_NAME.test(tenant) && !WINDOWS_DEVICE.test(tenant);
  return isPlain ? tenant : `_${digest(tenant)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Whoever may write there could put a link where a tenant's folder will be. */
function baseFault(base: string): string | undefined {
  const { mode, uid } = lstatSync(join(base, '.'));
  if (process.platform === 'win32') return undefined;
  if ((mode & OTHERS_MAY_WRITE) !== 0) return `others may write to the working folder ${base}`;
  const isOurs = uid === process.geteuid?.();
  return isOurs || uid === 0 ? undefined : `the working folder ${base} belongs to another user`;
}

function keepToOurselves(path: string): string | undefined {
  try {
    mkdirSync(path, { mode: OURS_ALONE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(path);
  if (!found.isDirectory()) return `the working folder ${path} is no folder`;
  if (process.platform === 'win32') return undefined;
  if (found.uid !== process.geteuid?.()) {
    return `the working folder ${path} belongs to another user`;
  }
  if ((found.mode & 0o777) !== OURS_ALONE) chmodSync(path, OURS_ALONE);
  return undefined;
}
