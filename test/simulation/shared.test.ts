import { runSeeds } from './run-seeds.ts';
import { ENDPOINT } from './subject.ts';

runSeeds('shared', 1, 670, ENDPOINT);
