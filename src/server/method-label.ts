/**
 * A method as a metric label: those of the specification by name, all others as one, so that a
 * client cannot grow the number of time series.
 */
const KNOWN: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'subscriptions/listen',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
  'tasks/list',
  'tasks/result',
]);

export function methodLabel(method: string): string {
  return KNOWN.has(method) ? method : 'other';
}
