// Shared by the other scripts here: MSAL Node as published, which signs in by certificate.
//
// Each script takes one argument, JSON: tenant, clientId, certificate (the path of a PEM file), and
// what else it needs. The proxy is in HTTPS_PROXY; the output is one line of JSON.

const fs = require("node:fs");
const { X509Certificate } = require("node:crypto");
const undici = require("undici");

// Node.js 20 does not use HTTPS_PROXY without this.
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

/** Run that one of *steps* which the order of the command line names. */
function run(steps) {
  const order = JSON.parse(process.argv[2]);
  return steps[order.step](order).then((said) => console.log(JSON.stringify(said ?? {})));
}

module.exports = { run, token };
