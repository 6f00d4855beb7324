import { describe, expect, it } from 'vitest';
import { isObjectSchema, wrappedOutputSchema } from './output-schema.ts';

function moved(schema: Record<string, unknown>): unknown {
  return (wrappedOutputSchema(schema)['properties'] as { result: unknown }).result;
}

describe('an output schema that is no object', () => {
  it('is told from one that is by its type alone', () => {
    expect(isObjectSchema({ type: 'object' })).toBe(true);
    expect(isObjectSchema({ type: 'array' })).toBe(false);
    expect(isObjectSchema({ anyOf: [{ type: 'object' }] })).toBe(false);
  });

  it('becomes the one property of an object, and its dialect stays at the root', () => {
    const $schema = 'http://json-schema.org/draft-07/schema#';
    expect(wrappedOutputSchema({ $schema, type: 'array' })).toEqual({
      $schema,
      type: 'object',
      properties: { result: { $schema, type: 'array' } },
      required: ['result'],
    });
  });

  it('takes its pointers along, wherever a schema may stand', () => {
    expect(
      moved({
        anyOf: [{ $ref: '#' }, { $ref: '#/$defs/a' }, { $ref: 'other.json#/a' }, { $ref: '#name' }],
        $defs: { a: { $dynamicRef: '#/$defs/a' }, $ref: { $ref: '#/$defs/a' } },
      }),
    ).toEqual({
      anyOf: [
        { $ref: '#/properties/result' },
        { $ref: '#/properties/result/$defs/a' },
        { $ref: 'other.json#/a' },
        { $ref: '#name' },
      ],
      $defs: {
        a: { $dynamicRef: '#/properties/result/$defs/a' },
        $ref: { $ref: '#/properties/result/$defs/a' },
      },
    });
  });

  it('leaves data alone, but not properties that are named like it', () => {
    const reference = { $ref: '#/$defs/a' };
    expect(
      moved({ type: 'array', const: reference, enum: [reference], default: reference }),
    ).toEqual({ type: 'array', const: reference, enum: [reference], default: reference });
    expect(moved({ properties: { default: reference, enum: reference } })).toEqual({
      properties: {
        default: { $ref: '#/properties/result/$defs/a' },
        enum: { $ref: '#/properties/result/$defs/a' },
      },
    });
  });

  it('leaves pointers alone that are relative to an identifier of their own', () => {
    const own = { $id: 'https://example.com/a', items: { $ref: '#/x' } };
    expect(moved(own)).toEqual(own);
    expect(moved({ items: own, $id: '#here', not: { $ref: '#' } })).toEqual({
      items: own,
      $id: '#here',
      not: { $ref: '#/properties/result' },
    });
  });
});
