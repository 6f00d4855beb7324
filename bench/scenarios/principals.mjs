/** What a principal costs in memory: one session each, all at one server at a URL. */
import { startServer } from '../measure/running-server.mjs';
import { Client2025 } from '../load/eras.mjs';
import { principalServer, remoteServer } from '../servers.mjs';

const STEPS = [0, 250, 500, 1000];
// What the first ones load and compile is no property of a principal.
const WARM = 50;

export async function measurePrincipals({ say }) {
  say(`memory of ${STEPS.at(-1)} principals`);
  const remote = await startServer(remoteServer('2025'));
  const server = await startServer(principalServer(`http://127.0.0.1:${remote.port}/mcp`));
  const clients = [];
  let next = 0;
  const addOne = async () => {
    const token = `principal-${(next += 1)}`;
    const client = new Client2025({ ...server.target, token });
    clients.push(client);
    await client.open();
    const text = `of-${token}`;
    await new Promise((resolve, reject) => {
      client.call(1, 'echo', text, resolve, (why) => reject(new Error(why)));
    });
    client.close();
  };
  try {
    for (let i = 0; i < WARM; i += 1) await addOne();
    const points = [];
    for (const count of STEPS) {
      while (next < WARM + count) await addOne();
      points.push({ count, residentKb: (await server.memoryAtRest()).residentKb });
    }
    return { points, ...lineOf(points) };
  } catch (error) {
    return { why: error.message };
  } finally {
    await server.stop();
    await remote.stop();
  }
}

/** Least squares: KB a principal, and the share of the variance the line explains. */
function lineOf(points) {
  const mean = (pick) => points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const x = mean(({ count }) => count);
  const y = mean(({ residentKb }) => residentKb);
  const xy = mean(({ count, residentKb }) => (count - x) * (residentKb - y));
  const xx = mean(({ count }) => (count - x) ** 2);
  const yy = mean(({ residentKb }) => (residentKb - y) ** 2);
  return { kbPerPrincipal: xy / xx, r2: xy ** 2 / (xx * yy) };
}
