import { errors, jwtVerify, SignJWT } from "jose";
import { encodeBase64url } from "../../src/core/base64url.ts";
import type { PageClaims, TokenPort, VerifiedToken } from "../../src/live/ports.ts";
import type { Internals } from "../web/internals.ts";

/** Not a secret: it only makes the hash of a session id another one than anybody else's. */
const sidKey = new TextEncoder().encode("holdfast/live/v1/session");

const encoder = new TextEncoder();

/** What a token is for, so that none of another purpose passes for one. */
const audience = "holdfast-live";

/**
 * Tokens that bind a page to its session: JWS with HS256, under keys that serve nothing else. The
 * first secret signs, all verify.
 */
export function pageTokens(
  { keys, hmac, clock, namespace }: Pick<Internals, "keys" | "hmac" | "clock" | "namespace">,
  tokenMs: number,
): TokenPort {
  return {
    async sign({ view, page, session, path, build, until }) {
      const [current] = await keys;
      if (current === undefined) throw new TypeError("Cannot sign a token: there is no secret");
      const now = Math.floor(clock.now() / 1000);
      return await new SignJWT({
        view,
        page,
        session,
        path,
        build,
        ...(until > 0 ? { fresh: Math.floor(until / 1000) } : {}),
      })
        .setProtectedHeader({ alg: "HS256", kid: current.kid })
        .setIssuer(namespace)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + Math.ceil(tokenMs / 1000))
        .sign(current.liveKey);
    },
    async verify(token) {
      try {
        const known = await keys;
        const { payload } = await jwtVerify(token, ({ kid }) => {
          const key = known.find((one) => one.kid === kid);
          if (key === undefined) throw new TypeError("Cannot verify a token: its key is unknown");
          return key.liveKey;
        }, {
          algorithms: ["HS256"],
          issuer: namespace,
          audience,
          requiredClaims: ["exp", "iat"],
          currentDate: new Date(clock.now()),
        });
        return readClaims(payload);
      } catch (error) {
        // That it is too old is looked at last: it was signed, and is for us.
        const read = readClaims(error instanceof errors.JWTExpired ? error.payload : {});
        return read.ok ? { ...read, ok: false, why: "expired" } : read;
      }
    },
    async sessionOf(sid) {
      return encodeBase64url(await hmac(sidKey, encoder.encode(sid)));
    },
  };
}

function readClaims(payload: Readonly<Record<string, unknown>>): VerifiedToken {
  const { view, page, session, path, build, fresh = 0 } = payload;
  if (
    typeof view !== "string" || typeof page !== "string" || typeof session !== "string" ||
    typeof path !== "string" || typeof build !== "string" || typeof fresh !== "number"
  ) {
    return { ok: false, why: "unauthorized" };
  }
  const claims: PageClaims = { view, page, session, path, build, until: fresh * 1000 };
  return { ok: true, claims };
}
