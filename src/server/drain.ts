/**
 * An orderly end: nothing new is taken, calls in flight finish, listens end with their result, and
 * streams are closed spread over the window so that their clients do not all come back at once.
 */
import type { EndpointContext } from './context.ts';

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
  const { connections } = context;
  for (const connection of [...connections.undecided(), ...connections.all()]) connection.cease();
  context.pool.close();
  await context.upstream.close();
}

/**
 * Long streams and listens say goodbye one after the other; replies of calls in flight are waited
 * for.
 */
function spreadGoodbyes(context: EndpointContext, windowMs: number): (() => void)[] {
  const { clock, random } = context;
  return context.connections
    .all()
    .filter(({ kind }) => kind !== 'reply')
    .map((each) => clock.after(windowMs * SPREAD * random.fraction(), () => each.drain()));
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
