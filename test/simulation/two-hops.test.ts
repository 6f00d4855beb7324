import { runSeeds } from './run-seeds.ts';
import { twoHops, twoHopsUnmarked } from './two-hops.ts';

runSeeds('session', 1, 250, twoHops(), 'two-hops');
runSeeds('principal', 251, 250, twoHops(), 'two-hops');
runSeeds('session', 1001, 250, twoHopsUnmarked(), 'two-hops');
runSeeds('principal', 2001, 250, twoHopsUnmarked(), 'two-hops');
