import { expect, it } from 'vitest';
import { readText } from '../../test/source-files.ts';
import { nodeVersionFault } from './node-version.ts';

it.each(['20.19.0', '20.20.2', '21.0.0', '22.4.1', '100.0.0'])('Node %s will do', (version) => {
  expect(nodeVersionFault(version)).toBeUndefined();
});

it.each(['18.20.8', '20.18.3', '20.9.0', '16.0.0'])(
  'V53 Node %s is told what is needed',
  (version) => {
    const reason = `Node.js 20.19 or newer is needed; this is ${version}.`;
    expect(nodeVersionFault(version)).toBe(reason);
  },
);

it('V53 needs what the package says', () => {
  const { engines } = JSON.parse(readText('package.json')) as { engines: { node: string } };
  expect(nodeVersionFault(engines.node.replace('>=', ''))).toBeUndefined();
  expect(nodeVersionFault('20.18.99')).toContain(engines.node.replace(/^>=(.*)\.0$/, ' $1 '));
});
