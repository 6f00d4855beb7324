/**
 * Time as the machine keeps it: monotonic, and timers that never keep a process alive by
 * themselves.
 */
import type { Clock } from '../../core/ports.ts';

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs) as { unref?: () => void };
    timer.unref?.();
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  },
};
