// PnPjs as published, as an admin's script uses it: reads a profile and its pictures, and breaks them.

const { run, token } = require("./msal.js");

const MY = "https://contoso-my.sharepoint.com";

/** PnPjs for the My Site host, with all that is used of it. */
async function connect(order) {
  const { DefaultHeaders, DefaultInit, spfi } = await import("@pnp/sp");
  const { NodeFetch } = await import("@pnp/nodejs");
  const { DefaultParse, InjectHeaders } = await import("@pnp/queryable");
  await import("@pnp/sp/presets/all.js");
  const authorization = { Authorization: `Bearer ${await token(order, MY)}` };
  const behaviors = [DefaultInit(), DefaultHeaders(), NodeFetch(), DefaultParse(), InjectHeaders(authorization)];
  return spfi(MY).using(...behaviors);
}

/** What the library and the profile say. */
async function read(sp, order) {
  const folder = sp.web.getFolderByServerRelativePath(order.folder);
  const picture = folder.files.getByUrl(order.picture);
  const listed = await folder.files.select("Name", "Length").orderBy("Name", false).top(2)();
  const chosen = await folder.files.filter("substringof('_MThumb',Name)")();
  const folders = sp.web.lists.getByTitle("User Photos").rootFolder.folders;
  return {
    profile: (await sp.profiles.getPropertiesFor(order.account)).PictureUrl,
    listed: listed.map((file) => file.Name),
    chosen: chosen.map((file) => file.Name),
    one: (await picture()).Name,
    bytes: Buffer.from(await picture.getBuffer()).toString("base64"),
    folders: (await folders.select("Name")()).map((one) => one.Name),
    missing: await folder.files.getByUrl("no.jpg")().catch((error) => error.status),
  };
}

/** Break the picture, and change the profile. */
async function change(sp, order) {
  const folder = sp.web.getFolderByServerRelativePath(order.folder);
  await folder.files.getByUrl(order.picture).setContent("broken");
  await folder.files.addUsingPath("new.jpg", "new", { Overwrite: true });
  await folder.files.getByUrl(order.gone).delete();
  await sp.profiles.setSingleValueProfileProperty(order.account, "PictureURL", "");
  await sp.web.folders.addUsingPath("/User Photos/Old");
  await sp.web.getFolderByServerRelativePath("/User Photos/Old").delete();
}

/** Two reads and two writes in one request. */
async function batch(sp, order) {
  const [batched, execute] = sp.batched();
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

run(async (order) => {
  const sp = await connect(order);
  const said = await read(sp, order);
  await change(sp, order);
  return { ...said, batch: await batch(sp, order) };
});
