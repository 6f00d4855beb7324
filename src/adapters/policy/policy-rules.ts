/** What an operator says about who may do what. */

/** One permission in short: everything that is given must hold. */
export interface AllowRule {
  readonly tenants?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Any of them. */
  readonly groups?: readonly string[] | undefined;
  /** All of them. */
  readonly scopes?: readonly string[] | undefined;
  /** Claims by the names they are mapped to, each with the text it must be. */
  readonly claims?: Readonly<Record<string, string>> | undefined;
  /** Names, in which `*` stands for anything. Default: every server. */
  readonly servers?: readonly string[] | undefined;
  /**
   * Names of tools and prompts and URIs of resources, in which `*` stands for anything. When none
   * of the three is given, all of the servers'; when one is, the others are not allowed.
   */
  readonly tools?: readonly string[] | undefined;
  readonly prompts?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  /** Of tools, those alone that say they change nothing. */
  readonly readOnly?: boolean | undefined;
}

/** Cedar text, and what it is called in messages. */
export interface PolicySource {
  readonly name: string;
  readonly text: string;
}

/** Arguments that policies may look at: by server and tool, their paths such as `options.mode`. */
export type ChosenArguments = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface PolicyRules {
  readonly sources: readonly PolicySource[];
  readonly allow: readonly AllowRule[];
  readonly arguments: ChosenArguments;
}
