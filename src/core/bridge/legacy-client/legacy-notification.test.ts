import { expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { legacyNotification } from './legacy-notification.ts';

const STAMP = '"io.modelcontextprotocol/subscriptionId":7';

it.each([
  [`{"_meta":{${STAMP}}}`, undefined],
  [`{"_meta":{${STAMP}},"uri":"a:b"}`, '{"uri":"a:b"}'],
  [`{"uri":"a:b","_meta":{"x":1.0,${STAMP}}}`, '{"uri":"a:b","_meta":{"x":1.0}}'],
  ['{"uri":"a:b"}', '{"uri":"a:b"}'],
  [undefined, undefined],
])('a change with params %s is told with %s', (params, told) => {
  const { method, payload } = legacyNotification(Message.notification('notifications/x', params));
  expect([method, payload]).toEqual(['notifications/x', told]);
});
