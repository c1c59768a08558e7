// A real OpenID Connect provider (node-oidc-provider), for tests of signing in.
// node provider.mjs <settings.json>: port, keys (JWKS with private parts), client, audience, people, seconds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , settingsFile, modules] = process.argv;
const found = createRequire(modules + "/").resolve("oidc-provider");
const { default: Provider, errors } = await import(pathToFileURL(found));
const settings = JSON.parse(readFileSync(settingsFile, "utf8"));

const provider = new Provider(`http://127.0.0.1:${settings.port}`, {
  clients: [
    {
      client_id: settings.client.id,
      client_secret: settings.client.secret,
      token_endpoint_auth_method: settings.client.secret ? "client_secret_basic" : "none",
      grant_types: ["authorization_code"],
      redirect_uris: settings.client.redirects,
    },
    {
      client_id: "a-program",
      client_secret: "a-program's secret",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
  ],
  jwks: settings.keys,
  cookies: { keys: ["for tests"] },
  pkce: { required: () => true },
  claims: { openid: ["sub", "groups"], profile: ["name"] },
  conformIdTokenClaims: settings.userinfo,
  ttl: { IdToken: settings.seconds, AccessToken: settings.seconds, Session: 3600, Grant: 3600, Interaction: 600 },
  async findAccount(_, sub) {
    return { accountId: sub, claims: () => ({ sub, ...settings.people[sub] }) };
  },
  async loadExistingGrant(ctx) {
    // whoever signs in agrees: consent is the provider's business
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  async extraTokenClaims(_, token) {
    return token.kind === "ClientCredentials" ? { groups: ["machines"] } : undefined;
  },
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_, resource) {
        if (!settings.audiences.includes(resource)) throw new errors.InvalidTarget();
        return { scope: "ask", audience: resource, accessTokenFormat: "jwt" };
      },
    },
  },
});
provider.listen(settings.port, "127.0.0.1");
