/** The schema of who may do what: policies, and the tenants there are. */
import { z } from 'zod';
import type { AllowRule } from '../../adapters/policy/policy-rules.ts';
import { type ConfigSection, section } from './config-section.ts';
import { flag, text, word } from './text-leaves.ts';

/** One name, or several. */
type Names = string | readonly string[];

const names = (description: string): z.ZodOptional<z.ZodType<Names>> =>
  z
    .union([word, z.array(word).min(1, { error: 'Name at least one, or leave the key out.' })], {
      error: 'Give a name or a list of names.',
    })
    .optional()
    .meta({ description });

const rule = z.strictObject({
  tenants: names('Tenants it is for. Default: all.'),
  subjects: names('Subjects it is for. Default: all.'),
  groups: names('Groups, of which one is enough. Default: none is needed.'),
  scopes: names('Scopes, of which every one is needed. Default: none is.'),
  claims: z
    .record(word, text)
    .optional()
    .meta({ description: 'Mapped claims, and the text each must be. Default: none is needed.' }),
  servers: names('Names of servers, in which `*` stands for anything. Default: all.'),
  tools: names('Names of tools, in which `*` stands for anything.'),
  prompts: names('Names of prompts, in which `*` stands for anything.'),
  resources: names('URIs of resources, in which `*` stands for anything.'),
  readOnly: flag()
    .optional()
    .meta({ default: false, description: 'Of tools, those alone that say they change nothing.' }),
} satisfies Record<keyof AllowRule, z.ZodType>);

const policy = z
  .strictObject({
    file: names(
      "Files of Cedar policies, from the config file's folder. Read again when they change.",
    ),
    allow: z
      .array(rule)
      .optional()
      .meta({
        default: [],
        description:
          'Permissions in short. In each, everything that is given must hold; without `tools`, ' +
          '`prompts` and `resources` it is for all of them.',
      }),
    arguments: z
      .record(word, z.record(word, z.array(word), { error: 'Give tools with lists of paths.' }))
      .optional()
      .meta({
        default: {},
        description:
          'Arguments that policies may look at, as `context.arguments`: by server and tool, ' +
          'their paths such as `options.mode`. No others are shown to them.',
      }),
  })
  .meta({
    description:
      'Who may do what. Once it is there, nothing is allowed that it does not permit. Default: ' +
      'whoever is let in may do everything.',
  });

export type RuleShape = Readonly<
  Partial<Record<Exclude<keyof AllowRule, 'claims' | 'readOnly'>, Names | undefined>>
> &
  Pick<AllowRule, 'claims' | 'readOnly'>;

export interface PolicyShape {
  readonly file?: Names | undefined;
  readonly allow?: readonly RuleShape[] | undefined;
  readonly arguments?:
    | Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
    | undefined;
}

export const POLICY: ConfigSection<PolicyShape> = section(policy);

/** As the whole file has them. */
export const POLICY_KEYS: Readonly<Record<'policy', z.ZodType>> = { policy: policy.optional() };
