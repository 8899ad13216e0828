// Looks at pages as Lighthouse does, in one Chromium.
//
// Standard input: {"chromium": path, "cookie": name of the session's, "visits": [as in lighthouse.go], "categories": [...], "root":
// whether root runs this}.
// Standard output: a report for each visit, as in lighthouse.go.
import { text } from "node:stream/consumers";
import lighthouse, { desktopConfig } from "lighthouse";
import puppeteer from "puppeteer-core";

const { chromium, cookie, visits, categories, root } = JSON.parse(await text(process.stdin));
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--disable-gpu", "--disable-dev-shm-usage", ...(root ? ["--no-sandbox"] : [])], headless: true });
const out = [];
try {
  for (const { URL: url, Session: value, Desktop: desktop } of visits) {
    const context = await browser.createBrowserContext();
    if (value) await context.setCookie({ name: cookie, value, domain: new URL(url).hostname, path: "/", httpOnly: true });
    const page = await context.newPage();
    const { lhr } = await lighthouse(url, { onlyCategories: categories, logLevel: "silent" }, desktop ? desktopConfig : undefined, page);
    if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
    out.push({
      Address: lhr.finalDisplayedUrl,
      Scores: Object.fromEntries(categories.map((id) => [id, Math.round(lhr.categories[id].score * 100)])),
      Findings: categories.flatMap((id) => lhr.categories[id].auditRefs.filter((a) => a.weight > 0).map((a) => finding(id, lhr.audits[a.id]))).filter(Boolean),
    });
    await context.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(out));

// finding says what an audit would mend, with the first elements or messages that it names.
function finding(category, audit) {
  if (audit.score === null || audit.score >= 0.9) return "";
  const where = (audit.details?.items ?? []).slice(0, 3).map((i) => i.node?.snippet ?? i.description ?? "");
  return [category, audit.id, audit.title, audit.displayValue, ...where].filter(Boolean).join("; ");
}
