import { describe, expect, it } from 'vitest';
import { describeStatus } from './http-status.ts';

describe('an HTTP status that refuses a request', () => {
  it.each([
    [400, 'does not understand the request'],
    [401, 'asks Tidegate for a credential'],
    [403, 'may want another credential'],
    [404, 'nothing is served at the URL that Tidegate was given'],
    [405, 'the URL that Tidegate was given for it takes no messages'],
    [413, 'larger than it takes'],
    [500, 'its own log'],
    [307, 'its URL leads to another one, which Tidegate has to be given'],
    [399, 'its URL leads to another one'],
    [299, 'it refused the request (HTTP status 299)'],
    [418, 'it refused the request (HTTP status 418)'],
  ])('%i says what is to be done, and what it was', (status, words) => {
    const said = describeStatus(status, undefined);
    expect(said).toContain(words);
    expect(said).toMatch(new RegExp(` \\(HTTP status ${status}\\)$`));
    expect(said).not.toContain('retry');
  });

  it.each([429, 502, 503, 504])('%i passes, and says when to come back', (status) => {
    expect(describeStatus(status, 6001)).toContain('; retry after 7 s (HTTP');
    expect(describeStatus(status, 0)).toContain('; retry later (HTTP');
    expect(describeStatus(status, undefined)).toContain('; retry later (HTTP');
  });
});
