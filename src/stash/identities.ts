import { must } from "../core/assert.ts";
import { sessionKeyHash } from "../core/key.ts";
import { type Reservation, signReservation, verifyReservation } from "../core/reservation.ts";
import type { Keys } from "../core/secret.ts";
import { mintSid, signToken, type Verified, verifyToken } from "../core/token.ts";
import type { Hmac } from "../ports/hmac.ts";
import type { Random } from "../ports/random.ts";

/** Who a request is, as its cookie proves: nothing of it may leave the process (SPEC KY). */
export interface Identity {
  /** The session id. */
  readonly sid: string;
  /** The cookie value under the current secret. */
  readonly token: string;
  /** Storage keys of the session, one per secret; the first is the current one. */
  readonly keys: readonly string[];
  /** Which secret signed the cookie that was shown; 0 is the current one. */
  readonly keyIndex: number;
  /**
   * Until when a session may begin under it although the cookie says it never has, in ms since the
   * epoch; 0 for never (SPEC SE24).
   */
  readonly reservedUntil: number;
}

/** An identity that nothing is stored under yet, and the cookie value that says so. */
export interface ReservedIdentity {
  readonly identity: Identity;
  readonly cookie: string;
}

/** What identities are made of. */
export interface IdentityPorts {
  readonly hmac: Hmac;
  readonly random: Random;
  readonly namespace: string;
  readonly cookieName: string;
  /** Derived once, at start. */
  readonly keys: Promise<readonly Keys[]>;
  /** Verified cookies remembered; beyond it the oldest are forgotten. */
  readonly remembered: number;
}

/** Tokens in, identities out. A cookie is verified once: the outcome is remembered, bounded. */
export class Identities {
  readonly #ports: IdentityPorts;
  readonly #known: Map<string, Identity> = new Map();

  constructor(ports: IdentityPorts) {
    this.#ports = ports;
  }

  /**
   * Finds out who a request is.
   *
   * @param tokens Values of the session cookie, as received.
   * @returns The identity, `undefined` if no value is one of ours, or `"ambiguous"` if values of
   *   several sessions were sent: which of them the user means cannot be told (SPEC CK).
   */
  resolve(
    tokens: readonly string[],
  ): Identity | undefined | Promise<Identity | undefined | "ambiguous"> {
    const [only] = tokens;
    if (only === undefined) return undefined;
    if (tokens.length === 1) return this.#known.get(only) ?? this.#verify(only);
    return this.#choose(tokens);
  }

  /** Makes a new identity. */
  async mint(): Promise<Identity> {
    return await this.#identity(mintSid(this.#ports.random), 0, 0);
  }

  /**
   * Makes an identity for a page, before there is anything to store under it.
   *
   * @param until Until when a session may begin under it, in ms since the epoch.
   * @param sid The session id; a new one if absent.
   */
  async reserve(
    until: number,
    sid: string = mintSid(this.#ports.random),
  ): Promise<ReservedIdentity> {
    const { cookieName, hmac } = this.#ports;
    const current = must((await this.#ports.keys)[0], "there is at least one secret");
    const cookie = await signReservation(current, cookieName, sid, until, hmac);
    return { identity: await this.#identity(sid, 0, until), cookie };
  }

  async #choose(tokens: readonly string[]): Promise<Identity | undefined | "ambiguous"> {
    let chosen: Identity | undefined;
    for (const token of new Set(tokens)) {
      const identity = this.#known.get(token) ?? await this.#verify(token);
      if (identity === undefined) continue;
      if (chosen !== undefined && chosen.sid !== identity.sid) return "ambiguous";
      chosen = chosen !== undefined && chosen.keyIndex <= identity.keyIndex ? chosen : identity;
    }
    return chosen;
  }

  async #verify(token: string): Promise<Identity | undefined> {
    const { cookieName, hmac, remembered } = this.#ports;
    const keys = await this.#ports.keys;
    const verified = await verifyToken(keys, cookieName, token, hmac) ??
      await verifyReservation(keys, cookieName, token, hmac);
    if (verified === undefined) return undefined;
    const until = isReservation(verified) ? verified.until : 0;
    const identity = await this.#identity(verified.sid, verified.keyIndex, until);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= remembered && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(token, identity);
    return identity;
  }

  async #identity(sid: string, keyIndex: number, reservedUntil: number): Promise<Identity> {
    const { cookieName, hmac, namespace } = this.#ports;
    const secrets = await this.#ports.keys;
    const current = must(secrets[0], "there is at least one secret");
    const token = await signToken(current, cookieName, sid, hmac);
    const keys: string[] = [];
    for (const secret of secrets) {
      keys.push(`${namespace}/session/${await sessionKeyHash(secret, namespace, sid, hmac)}`);
    }
    return { sid, token, keys, keyIndex, reservedUntil };
  }
}

function isReservation(verified: Verified | Reservation): verified is Reservation {
  return "until" in verified;
}
