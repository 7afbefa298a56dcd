// PnPjs as published, as an admin's scripts use it: profiles, pictures, photos, batches, subscriptions.

const { run, token } = require("./signed_in.js");

const MY = "https://contoso-my.sharepoint.com";
const GRAPH = "https://graph.microsoft.com";

/** The behaviors for both clients, which need only a token. */
async function behaviors(order, host, headers) {
  const { NodeFetch } = await import("@pnp/nodejs");
  const { DefaultParse, InjectHeaders } = await import("@pnp/queryable");
  const authorization = { Authorization: `Bearer ${await token(order, host)}`, ...headers };
  return [NodeFetch(), DefaultParse(), InjectHeaders(authorization)];
}

/** PnPjs for the My Site host, with the used packages. */
async function sharepoint(order) {
  const { DefaultHeaders, DefaultInit, spfi } = await import("@pnp/sp");
  await import("@pnp/sp/presets/all.js");
  return spfi(MY).using(DefaultInit(), DefaultHeaders(), ...(await behaviors(order, MY)));
}

/** PnPjs for Graph. */
async function graph(order, headers) {
  const { DefaultHeaders, DefaultInit, graphfi } = await import("@pnp/graph");
  await import("@pnp/graph/presets/all.js");
  await import("@pnp/graph/batching.js");
  return graphfi().using(DefaultInit(), DefaultHeaders(), ...(await behaviors(order, GRAPH, headers)));
}

/** What the library and the profile say. */
async function read(order) {
  const sp = await sharepoint(order);
  const folder = sp.web.getFolderByServerRelativePath(order.folder);
  const names = ["S", "M", "L"].map((size) => `${order.user}_${size}Thumb.jpg`);
  const bytes = (name) => folder.files.getByUrl(name).getBuffer();
  const base64 = (name) =>
    bytes(name).then(
      (content) => Buffer.from(content).toString("base64"),
      (error) => error.status,
    );
  const listed = folder.files.filter(`startswith(Name,'${order.user}')`).select("Name").orderBy("Name", false).top(2);
  const folders = sp.web.lists.getByTitle("User Photos").rootFolder.folders;
  return {
    address: (await sp.profiles.getPropertiesFor(order.account)).PictureUrl,
    files: await Promise.all(names.map(base64)),
    listed: (await listed()).map((file) => file.Name),
    folders: (await folders.select("Name")()).map((one) => one.Name),
  };
}

/** Break the pictures in four ways, and the profile. */
async function harm(order) {
  const sp = await sharepoint(order);
  const folder = sp.web.getFolderByServerRelativePath(order.folder);
  await folder.files.getByUrl(`${order.user}_MThumb.jpg`).setContent("broken");
  await folder.files.addUsingPath(`${order.user}_LThumb.jpg`, "new", { Overwrite: true });
  await folder.files.getByUrl(`${order.user}_SThumb.jpg`).delete();
  await sp.profiles.setSingleValueProfileProperty(order.account, "PictureURL", "");
  await sp.web.folders.addUsingPath("/User Photos/Old");
  await sp.web.getFolderByServerRelativePath("/User Photos/Old").delete();
}

/** Two reads and two writes in one request. */
async function batch(order) {
  const [batched, execute] = (await sharepoint(order)).batched();
  const folder = batched.web.getFolderByServerRelativePath(order.folder);
  const asked = [
    batched.profiles.getPropertiesFor(order.account).then((profile) => profile.DisplayName),
    folder.files.getByUrl("no.jpg")().catch((error) => error.status),
    batched.profiles.setSingleValueProfileProperty(order.account, "AboutMe", "Once"),
    batched.profiles.setSingleValueProfileProperty(order.account, "Office", "Room 7"),
  ];
  await execute();
  return (await Promise.all(asked)).slice(0, 2);
}

/** A subscription of this app's own to the webhook; it is prolonged, and stands in the list. */
async function subscribe(order) {
  const client = await graph(order);
  const ends = (minutes) => new Date(Date.now() + minutes * 60000).toISOString();
  const words = { clientState: order.clientState };
  const { data } = await client.subscriptions.add("updated", order.webhook, "users", ends(30), words);
  await client.subscriptions.getById(data.id).update({ expirationDateTime: ends(60) });
  return (await client.subscriptions()).map((one) => one.resource);
}

/** Another photo, and what Graph then has. */
async function photo(order) {
  const client = await graph(order, { "Content-Type": "image/jpeg" });
  const theirs = client.users.getById(order.user).photo;
  await theirs.setContent(Buffer.from(order.photo, "base64"));
  return (await theirs()).width;
}

/** The end of all subscriptions of this app, in one request. */
async function unsubscribe(order) {
  const client = await graph(order);
  const [batched, execute] = client.batched();
  for (const one of await client.subscriptions()) {
    batched.subscriptions.getById(one.id).delete();
  }
  await execute();
  return client.subscriptions();
}

run({ read, harm, batch, subscribe, photo, unsubscribe });
