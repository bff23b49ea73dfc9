import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, runtime, skip, test, type TestContext } from "../harness/mod.ts";

/** A span in the JSON of OTLP, as far as it is looked at. */
interface OtlpSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

interface OtlpScope {
  readonly scope: { readonly name: string };
  readonly spans?: readonly OtlpSpan[];
  readonly metrics?: readonly { readonly name: string; readonly unit: string }[];
}

interface OtlpBody {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly OtlpScope[] }[];
  readonly resourceMetrics?: readonly { readonly scopeMetrics: readonly OtlpScope[] }[];
}

/** Takes in what is exported. */
async function collector(t: TestContext): Promise<{ readonly url: string; scopes: OtlpScope[] }> {
  const scopes: OtlpScope[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Uint8Array) => void (text += new TextDecoder().decode(chunk)));
    request.on("end", () => {
      const body: OtlpBody = JSON.parse(text);
      for (const { scopeSpans } of body.resourceSpans ?? []) scopes.push(...scopeSpans);
      for (const { scopeMetrics } of body.resourceMetrics ?? []) scopes.push(...scopeMetrics);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.defer(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, scopes };
}

async function runTraced(t: TestContext, url: string): Promise<number | null> {
  const app = fileURLToPath(new URL("./fixtures/deno_app.ts", import.meta.url));
  const child = spawn(process.execPath, ["run", "-A", "--no-check", "--quiet", app], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
  });
  t.defer(() => void child.kill("SIGKILL"));
  return await new Promise((resolve) => void child.on("close", resolve));
}

const title = "[OE11] what Deno itself has of OpenTelemetry is enough";
if (runtime === "deno") {
  test(title, async (t) => {
    const { url, scopes } = await collector(t);
    assertEquals(await runTraced(t, url), 0);
    const spans = scopes.flatMap((scope) => scope.spans ?? []);
    const find = (name: string) => spans.find((span) => span.name === name);
    const [request, call] = [find("request"), find("call counter.increment")];
    assert(request !== undefined && call !== undefined, spans.map(({ name }) => name).join());
    assertEquals(call.parentSpanId, request.spanId);
    for (const name of ["storage get", "storage put"]) {
      const span = find(name);
      assertEquals(span?.parentSpanId, call.spanId, name);
      const times = [call, span, span, call].map((one, n) =>
        BigInt((n < 2 ? one?.startTimeUnixNano : one?.endTimeUnixNano) ?? "0")
      );
      for (let n = 1; n < 4; n++) assert((times[n - 1] ?? 0n) <= (times[n] ?? 0n), `${name} ${n}`);
    }
    const metrics = scopes.filter(({ scope }) => scope.name === "holdfast")
      .flatMap((scope) => scope.metrics ?? []);
    const duration = metrics.find(({ name }) => name === "holdfast.object.call.duration");
    assertEquals(duration?.unit, "s");
  }, { timeoutMs: 60_000 });
} else skip(title, "only on Deno");
