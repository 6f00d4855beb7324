#!/usr/bin/env node
/**
 * The first file of the program `tidegate`. An older Node cannot even load the others, and is told
 * so before.
 */
import { nodeVersionFault } from './node-version.ts';

const fault = nodeVersionFault(process.versions.node);
if (fault === undefined) {
  const { runProgram } = await import('./program.ts');
  void runProgram(process.argv.slice(2));
} else {
  process.stderr.write(`tidegate: ${fault}\n`);
  process.exitCode = 1;
}
