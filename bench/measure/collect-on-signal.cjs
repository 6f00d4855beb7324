/**
 * Loaded into every measured server: SIGUSR2 collects garbage, so that resident memory before and after
 * is compared at rest and no server is charged for when V8 happened to collect.
 * It leaves what it then holds in the file named by BENCH_MEMORY_FILE.
 */
const { writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(process.env.BENCH_MEMORY_FILE, String(heapUsed + external));
});
