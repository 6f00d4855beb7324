import { aesSeal } from '../../src/adapters/system/aes-seal.ts';
import { Endpoint } from '../../src/server/endpoint.ts';
import type { Subject } from './simulate.ts';

/** The engine as it is: nothing between it and the simulation but its ports. */
export const ENDPOINT: Subject = {
  create: ({ limits, isolation, ...ports }) =>
    new Endpoint(
      { ...ports, seal: aesSeal() },
      {
        limits,
        isolation,
        allowedHosts: ['127.0.0.1:8808'],
        allowedOrigins: [],
        publicUrl: undefined,
        endpointForm: 'relative',
        priming: 'auto',
        heartbeat: 'comment',
        eras: 'all',
      },
    ),
};
