/**
 * An identity that looks at no token: whom it lets in it knows by something else, so that a token
 * sent along may still be a guess.
 */
export interface TokenlessDoor {
  readonly readsTokens: false;
}
