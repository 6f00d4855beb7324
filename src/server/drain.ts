/**
 * An orderly end: nothing new is taken, calls in flight finish, listens end with their result, and streams are
 * closed spread over the window so that their clients do not all come back at once.
 */
import type { EndpointContext } from './context.ts';
import { LegacySession } from './legacy-session.ts';
import type { Connection } from './connection.ts';

/** The part of the window over which streams are closed; the rest is for calls in flight. */
const SPREAD = 0.6;
const POLL_MS = 20;

/** @returns when nothing is open any more, or the window is over; upstreams are closed by then. */
export async function drainEndpoint(context: EndpointContext, windowMs: number): Promise<void> {
  context.isDraining = true;
  const endsAt = context.clock.now() + windowMs;
  const disarms = spreadGoodbyes(context, windowMs);
  await settled(context, endsAt);
  for (const disarm of disarms) disarm();
  for (const listen of context.listens) listen.complete();
  for (const session of context.directory.all()) session.end('drained');
  for (const connection of context.connections.all()) connection.lose('drained');
  context.pool.close();
  await context.upstream.close();
}

function spreadGoodbyes(context: EndpointContext, windowMs: number): (() => void)[] {
  const { clock, random } = context;
  const later = (task: () => void): (() => void) =>
    clock.after(windowMs * SPREAD * random.fraction(), task);
  const disarms: (() => void)[] = [];
  for (const listen of context.listens) disarms.push(later(() => listen.complete()));
  for (const connection of context.connections.all()) {
    if (connection.isLong) disarms.push(later(() => release(connection)));
  }
  return disarms;
}

function release(connection: Connection): void {
  const { owner } = connection;
  if (owner instanceof LegacySession) owner.drain(connection);
}

function settled(context: EndpointContext, endsAt: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      const isQuiet = context.connections.size === 0 && context.pool.pending === 0;
      if (isQuiet || context.clock.now() >= endsAt) resolve();
      else context.clock.after(POLL_MS, check);
    };
    check();
  });
}
