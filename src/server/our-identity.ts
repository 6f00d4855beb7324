/**
 * How we introduce ourselves to an upstream when a request is ours. A test holds the version to
 * package.json.
 */
export const OUR_IDENTITY: { readonly name: string; readonly version: string } = {
  name: 'tidegate',
  version: '0.1.0',
};
