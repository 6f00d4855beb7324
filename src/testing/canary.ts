/**
 * Marks in the bytes of a run. A canary says whose a text is: seen at anyone else, it is a leak.
 * A marker names one emission of the upstream: seen twice at one reader, it was repeated.
 */
const CANARY = /~c:([A-Za-z0-9_-]+):\d+~/g;
const TOTAL = /~p:(\d+)~/;
const MARKER = /~m:(\d+)~/g;

export function canaryOf(owner: string, number: number): string {
  return `~c:${owner}:${number}~`;
}

/** Owners of all canaries in a text, with repeats. */
export function ownersIn(text: string): readonly string[] {
  if (!text.includes('~c:')) return [];
  return Array.from(text.matchAll(CANARY), (match) => match[1] ?? '');
}

export function markerOf(number: number): string {
  return `~m:${number}~`;
}

export function markersIn(text: string): readonly number[] {
  if (!text.includes('~m:')) return [];
  return Array.from(text.matchAll(MARKER), (match) => Number(match[1]));
}

/** How many progress notifications came before an answer, written into it by who sent them. */
export function progressTotalOf(count: number): string {
  return `~p:${count}~`;
}

export function progressTotalIn(text: string): number | undefined {
  const match = TOTAL.exec(text);
  return match === null ? undefined : Number(match[1]);
}
