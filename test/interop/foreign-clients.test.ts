/** Clients of other languages' SDKs through Tidegate, to servers of each era. */
import { meetIn } from './conversation.ts';
import { FOREIGN_GUESTS } from './guests.ts';
import { OUR_HARBOURS } from './harbours.ts';

for (const harbour of OUR_HARBOURS) meetIn(harbour, FOREIGN_GUESTS);
