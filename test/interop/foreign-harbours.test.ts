/** Servers of other languages' SDKs behind Tidegate, for clients of every era and language. */
import { meetIn } from './conversation.ts';
import { OUR_GUESTS, SOME_STRANGERS } from './guests.ts';
import { FOREIGN_HARBOURS } from './harbours.ts';

for (const harbour of FOREIGN_HARBOURS) meetIn(harbour, [...OUR_GUESTS, ...SOME_STRANGERS]);
