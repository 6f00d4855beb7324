import { runSeeds } from './run-seeds.ts';
import { twoHops } from './two-hops.ts';

runSeeds('session', 1, 250, twoHops(), 'two-hops');
runSeeds('principal', 251, 250, twoHops(), 'two-hops');
