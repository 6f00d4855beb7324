/**
 * The process that holds one endpoint under test. Argument: the name of a configuration. Prints
 * the endpoint's URL as its only line. Ends with its standard input, so never outlives its parent.
 */
import { createEndpoint, inProcess, noAuth, remote, stdio } from 'tidegate';
import { serve } from 'tidegate/node';
import { CONFIGURATIONS } from './configurations.mjs';

const configuration = CONFIGURATIONS.find(({ name }) => name === process.argv[2]);
const upstream = await configuration.upstream({ inProcess, remote, stdio });
const server = await serve(createEndpoint({ upstream, identity: noAuth() }), { port: 0 });
process.stdout.write(`${server.url}/mcp\n`);

// A remote server of the configuration lives in this process, too.
process.stdin.resume().once('end', () => void server.close().then(() => process.exit()));
