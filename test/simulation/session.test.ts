import { runSeeds } from './run-seeds.ts';
import { ENDPOINT } from './subject.ts';

runSeeds('session', 1, 670, ENDPOINT);
