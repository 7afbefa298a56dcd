// MSAL Node as published: a token by certificate, and what Graph answers to it.
//
// Whoever is started gets one argument, JSON: tenant, clientId, certificate (the path of a PEM file),
// and what else the script needs. The proxy stands in HTTPS_PROXY; the answer is one line of JSON.

const fs = require("node:fs");
const { X509Certificate } = require("node:crypto");
const undici = require("undici");

// Node.js 20 asks no proxy by itself.
undici.setGlobalDispatcher(new undici.EnvHttpProxyAgent());

/** An app's own token for *host*. */
async function token(order, host) {
  const { ConfidentialClientApplication } = await import("@azure/msal-node");
  const pem = fs.readFileSync(order.certificate, "utf8");
  const client = new ConfidentialClientApplication({
    auth: {
      clientId: order.clientId,
      authority: `https://login.microsoftonline.com/${order.tenant}`,
      clientCertificate: {
        thumbprintSha256: new X509Certificate(pem).fingerprint256.replaceAll(":", ""),
        privateKey: pem.slice(0, pem.indexOf("-----BEGIN CERTIFICATE")),
      },
    },
  });
  const result = await client.acquireTokenByClientCredential({ scopes: [`${host}/.default`] });
  return result.accessToken;
}

/** Read a user's photo and put another one in its place. */
async function main(order) {
  const url = `https://graph.microsoft.com/v1.0/users/${order.user}/photo/$value`;
  const headers = { Authorization: `Bearer ${await token(order, "https://graph.microsoft.com")}` };
  const before = await fetch(url, { headers });
  const bytes = Buffer.from(await before.arrayBuffer()).toString("base64");
  const put = await fetch(url, {
    method: "PUT",
    headers: { ...headers, "Content-Type": "image/jpeg" },
    body: Buffer.from(order.photo, "base64"),
  });
  return { bytes, put: put.status };
}

/** Run *script* with the order of the command line. */
function run(script) {
  return script(JSON.parse(process.argv[2])).then((said) => console.log(JSON.stringify(said)));
}

module.exports = { run, token };
if (require.main === module) {
  run(main);
}
