/**
 * Public keys of others: JSON Web Keys (RFC 7517) and PEM. A key that is weak, that is not only public, or that says it
 * is for something else is refused. Which algorithms fit is the key's to say, and each import is for one of them.
 */

import { fromBase64Url, fromPem, toHex } from "./bytes.ts";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm, type JwsHeader, type JwsKey } from "./jws.ts";

const MIN_RSA_BITS = 2048;
/** Beyond that, checking a signature costs whoever sends one too little and us too much. */
const MAX_RSA_BITS = 8192;
/** RFC 8410 §4: there is one form. */
const ED25519_SPKI_BYTES = 44;
/** RFC 7518 §6: members of private and symmetric keys. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** The one key of a published set that fits the header, or null where none or several do. */
export async function findJwk(keys: readonly unknown[], { alg, kid }: JwsHeader): Promise<JwsKey | null> {
  if (!isJwsAlgorithm(alg)) return null;
  const [first, ...others] = keys.filter((key) => fits(key, alg) && (kid === undefined || key["kid"] === kid));
  return first === undefined || others.length > 0 ? null : importJwk(first, alg);
}

/** null: not a public key that is good for this algorithm. */
export async function importJwk(jwk: unknown, algorithm: JwsAlgorithm): Promise<JwsKey | null> {
  if (!fits(jwk, algorithm)) return null;
  const { kty, crv, x, y, n, e } = jwk as Partial<JsonWebKey>;
  if (kty === "RSA" && !isStrongRsa(n, e)) return null;
  const material = kty === "RSA" ? { kty, n, e } : kty === "EC" ? { kty, crv, x, y } : { kty, crv, x };
  try {
    const parameters = JWS_ALGORITHMS[algorithm].key;
    const key = await crypto.subtle.importKey("jwk", material as JsonWebKey, parameters, false, ["verify"]);
    return { algorithm, key };
  } catch {
    return null;
  }
}

/** @param pem SubjectPublicKeyInfo. null: not a public key that is good for this algorithm. */
export async function importPem(pem: string, algorithm: JwsAlgorithm): Promise<JwsKey | null> {
  const spki = fromPem(pem, "PUBLIC KEY");
  // workerd takes any key for Ed25519, and finds out too late that it is none.
  if (spki === null || (algorithm === "EdDSA" && spki.length !== ED25519_SPKI_BYTES)) return null;
  try {
    const key = await crypto.subtle.importKey("spki", spki, JWS_ALGORITHMS[algorithm].key, true, ["verify"]);
    const jwk = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
    return await importJwk({ ...jwk, alg: algorithm }, algorithm);
  } catch {
    return null;
  }
}

function fits(jwk: unknown, algorithm: JwsAlgorithm): jwk is Record<string, unknown> {
  if (typeof jwk !== "object" || jwk === null) return false;
  const {
    kty,
    crv,
    alg = algorithm,
    use = "sig",
    key_ops: operations = ["verify"],
    kid = "",
  } = jwk as Record<string, unknown>;
  const wanted: { kty: string; crv?: string } = JWS_ALGORITHMS[algorithm];
  return (
    kty === wanted.kty &&
    (wanted.crv === undefined || crv === wanted.crv) &&
    alg === algorithm &&
    use === "sig" &&
    Array.isArray(operations) &&
    operations.includes("verify") &&
    typeof kid === "string" &&
    !SECRET_MEMBERS.some((name) => (jwk as Record<string, unknown>)[name] !== undefined)
  );
}

/** Whether these are modulus and exponent of a key that nobody can be expected to break. */
export function isStrongRsa(n: unknown, e: unknown): boolean {
  const modulus = jwkInteger(n);
  const exponent = jwkInteger(e);
  if (modulus === null || exponent === null) return false;
  const bits = modulus.toString(2).length;
  const isExponent = exponent % 2n === 1n && exponent > 1n;
  return isExponent && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && modulus % 2n === 1n && !isOfRocaKind(modulus);
}

/** A number as JWK has it (RFC 7518 §2), or null for anything else. */
export function jwkInteger(value: unknown): bigint | null {
  const bytes = typeof value === "string" && value !== "" ? fromBase64Url(value) : null;
  return bytes && BigInt(`0x${toHex(bytes)}`);
}

const SMALL_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/**
 * Whether a flawed generator of smart cards made it (CVE-2017-15361, "ROCA"): its moduli are powers of 65537 modulo
 * every small prime, a random one is not, and they can be factored.
 */
function isOfRocaKind(modulus: bigint): boolean {
  return SMALL_PRIMES.every((prime) => {
    const rest = Number(modulus % BigInt(prime));
    for (let power = 1, tries = 0; tries < prime; tries++, power = (power * 65537) % prime) {
      if (power === rest) return true;
    }
    return false;
  });
}
