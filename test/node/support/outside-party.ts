/** Another party that signs people in: it publishes its keys, signs tokens, and tells whose a bearer token is. */

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export interface OutsideParty {
  issuer: string;
  /** For whom its tokens are. */
  audience: string;
  jwksUrl: string;
  userInfoUrl: string;
  /** Its public key, for who does not want to fetch it. */
  pem: string;
  /** A token of this moment, good for five minutes; `claims` go before what it has by itself. */
  sign(claims: JWTPayload): Promise<string>;
  /** What UserInfo tells an e-mail address for. */
  bearerTokenOf(email: string): string;
  close(): Promise<void>;
}

export async function openOutsideParty(): Promise<OutsideParty> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "outside", alg: "RS256", use: "sig" }] };
  const server = createServer((request, response) => {
    const body = request.url === "/jwks" ? jwks : request.url === "/userinfo" ? userInfo(request) : null;
    response.writeHead(body === null ? 401 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [issuer, audience] = ["https://id.example.com/", "our-application"];
  return {
    issuer,
    audience,
    jwksUrl: `${origin}/jwks`,
    userInfoUrl: `${origin}/userinfo`,
    pem: await exportSPKI(publicKey),
    sign: (claims) =>
      new SignJWT({ iss: issuer, aud: audience, jti: crypto.randomUUID(), email_verified: true, ...claims })
        .setProtectedHeader({ alg: "RS256", kid: "outside", typ: "JWT" })
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(privateKey),
    bearerTokenOf: (email) => Buffer.from(email).toString("base64url"),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** null: the bearer token is nobody's. */
function userInfo(request: IncomingMessage): object | null {
  const [, token = ""] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
  const email = Buffer.from(token, "base64url").toString();
  return email.includes("@") ? { sub: token, email, email_verified: true } : null;
}
