/** What is said of a key at the top of the file that has no meaning there. */
import { AUTH_WAYS } from './auth-schema.ts';
import {
  COMMAND_SERVER,
  CONFIG_SCHEMA,
  DEFAULTS,
  LISTEN,
  MODULE_SERVER,
  URL_SERVER,
} from './config-schema.ts';
import { unknownKey } from './config-section.ts';
import { quoted } from './problem-list.ts';

export const TOP_LEVEL_KEYS: readonly string[] = Object.keys(CONFIG_SCHEMA.shape);

/** Where a key has its meaning, in the order of who is asked. */
const PLACES: readonly (readonly [keys: readonly string[], place: string])[] = [
  [LISTEN.keys, 'under listen'],
  [['token', ...AUTH_WAYS.flatMap(({ shape }) => Object.keys(shape))], 'under auth'],
  [DEFAULTS.keys, 'under defaults, or in a server of servers'],
  [
    [COMMAND_SERVER, URL_SERVER, MODULE_SERVER].flatMap(({ keys }) => keys),
    'in a server: servers: { name: { … } }',
  ],
];

/** Most keys that are wrong here were meant for a section; no other is nearer then. */
export function unknownTopLevelKey(key: string): string {
  const [, place] = PLACES.find(([keys]) => keys.includes(key)) ?? [];
  return place === undefined
    ? unknownKey(key, TOP_LEVEL_KEYS)
    : `There is no key ${quoted(key)} here. Write it ${place}.`;
}
