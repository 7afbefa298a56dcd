// @microsoft/microsoft-graph-client as published, with tokens from MSAL Node.

const graph = require("@microsoft/microsoft-graph-client");
const { BatchRequestContent, BatchResponseContent, Client, PageIterator } = graph;
const { run, token } = require("./signed_in.js");

const GRAPH = "https://graph.microsoft.com";

function connect(order) {
  return Client.init({ authProvider: (done) => token(order, GRAPH).then((one) => done(null, one), done) });
}

/** All users, page by page; and one user's photo, alone and in a batch. */
async function read(order) {
  const client = connect(order);
  const people = [];
  const page = await client.api("/users").select("id,userPrincipalName").top(2).get();
  await new PageIterator(client, page, (user) => people.push(user.userPrincipalName)).iterate();
  const photo = client.api(`/users/${order.user}/photo`);
  const requests = [`/users/${order.user}/photo`, "/users/nobody@contoso.com/photo"].map((url, id) => ({
    id: String(id),
    request: new Request(GRAPH + url),
  }));
  const batch = await new BatchRequestContent(requests).getContent();
  const answers = new BatchResponseContent(await client.api("/$batch").post(batch));
  const value = await client.api(`/users/${order.user}/photo/$value`).responseType("arraybuffer").get();
  return {
    people,
    width: (await photo.get()).width,
    bytes: Buffer.from(value).toString("base64"),
    batch: ["0", "1"].map((id) => answers.getResponseById(id).status),
  };
}

/** Another photo. */
async function change(order) {
  const photo = Buffer.from(order.photo, "base64");
  await connect(order).api(`/users/${order.user}/photo/$value`).header("Content-Type", "image/jpeg").put(photo);
}

run({ read, change });
