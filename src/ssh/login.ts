import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { SshError } from './errors';
import { publicKeyLine, type Identity } from './identity';
import type { Ssh2Module } from './loadSsh2';

/** What became of the keys that were offered in one login. */
export interface OfferedKeys {
  /** Hand this to ssh2 as its agent. */
  readonly agent: BaseAgent;
  /** The key the server accepted last; after a login the one it was done with. */
  readonly accepted: Identity | undefined;
  /** Why the last accepted key could not sign. */
  readonly failure: Error | undefined;
}

/**
 * Offers keys in order, by their public halves only, and signs with the one the server would take: a private key is read, and
 * its passphrase asked for, only when that key opens this very server. To ssh2 this is an agent.
 * @param waitFor is given each signature while it is being made, since people may be involved.
 */
export function offerKeys(
  ssh2: Ssh2Module,
  identities: readonly Identity[],
  waitFor: (signature: Promise<Buffer>) => Promise<Buffer>,
  log: Logger,
): OfferedKeys {
  const state: { accepted: Identity | undefined; failure: Error | undefined } = { accepted: undefined, failure: undefined };

  class OfferAgent extends ssh2.BaseAgent<string> {
    getIdentities(callback: IdentityCallback<string>): void {
      callback(null, identities.map(publicKeyLine));
    }

    sign(key: string | ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
      const done = typeof options === 'function' ? options : callback;
      const hash = typeof options === 'function' ? undefined : options.hash;
      const parsed = typeof key === 'string' ? ssh2.utils.parseKey(key) : key;
      const blob = parsed instanceof Error ? undefined : parsed.getPublicSSH();
      const identity = identities.find(({ publicBlob }) => blob?.equals(publicBlob) === true);
      if (identity === undefined) return done?.(new Error('The server asks for a key that was not offered'));
      state.accepted = identity;
      waitFor(identity.sign(data, hash === 'sha256' || hash === 'sha512' ? hash : undefined)).then(
        (signature) => done?.(null, signature),
        (error: unknown) => {
          log.warn(`The server takes the key ${identity.label}, but it cannot be used: ${messageOf(error)}`);
          state.failure =
            error instanceof Error && (error instanceof SshError || error.name === 'CancelledError')
              ? error
              : new SshError('auth-failed', { reason: 'agent-refused', detail: messageOf(error), offered: [identity.label] }, { cause: error });
          done?.(state.failure);
        },
      );
    }
  }

  const agent = new OfferAgent();
  return {
    agent,
    get accepted() {
      return state.accepted;
    },
    get failure() {
      return state.failure;
    },
  };
}
