import { runSeeds } from './run-seeds.ts';
import { ENDPOINT } from './subject.ts';

runSeeds('principal', 1, 670, ENDPOINT);
