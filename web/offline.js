// Keeps the page for times without a network. What the server has is always preferred; what it gave
// last is the answer when it cannot be reached. The names of the page's files hold their hashes, so
// old ones are never mixed with new ones; they go when a new page has been fetched whole.

const KEPT = "costack";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keepPage());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = new URL(request.url).origin === self.location.origin;
  if (request.method === "GET" && isOurs) event.respondWith(answer(request));
});

// The page and all that it refers to, as its text says.
async function keepPage() {
  const page = new URL("./", self.location);
  const answered = await fetch(page, { cache: "reload" });
  if (!answered.ok) throw new Error(`${page} answers ${answered.status}`);
  const text = await answered.clone().text();
  const named = [...text.matchAll(/["'](?:\.?\/)?([\w.-]+\.(?:css|js|wasm))["']/g)];
  const files = new Set(named.map((match) => match[1]).concat("bench.json"));
  const cache = await caches.open(KEPT);
  await cache.put(page, answered);
  await Promise.all(
    [...files].map(async (file) => {
      const address = new URL(file, page);
      const got = await fetch(address);
      if (got.ok) await cache.put(address, got);
    }),
  );
  const wanted = new Set([...files].map((file) => new URL(file, page).href).concat(page.href));
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request);
  }
}

async function answer(request) {
  const cache = await caches.open(KEPT);
  try {
    const got = await fetch(request);
    if (got.ok) await cache.put(plain(request), got.clone());
    // Another page than the one kept: fetch its files now, while there is a network.
    if (got.ok && request.mode === "navigate") keepPage().catch(() => {});
    return got;
  } catch (error) {
    const kept = await cache.match(plain(request), { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

// `index.html`, a search and the folder are one page.
function plain(request) {
  if (request.mode !== "navigate") return request.url;
  return new URL("./", self.location).href;
}
