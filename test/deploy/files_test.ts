import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type Environment,
  probes,
  readSettings,
  type Settings,
  withinMs,
} from "../../examples/deploy/config.ts";
import { Jar } from "../e2e/jar.ts";
import { assert, assertEquals, runtime, skip, test, type TestContext } from "../harness/mod.ts";
import { allFiles, read } from "../meta/files.ts";
import type { Data } from "./files.ts";
import { unknownIn } from "./fly.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A test for one runtime: these are about files, which only Bun has parsers for. */
const onBun = (
  title: string,
  run: (files: typeof import("./files.ts"), t: TestContext) => void | Promise<void>,
) =>
  runtime === "bun"
    ? test(title, async (t) => await run(await import("./files.ts"), t))
    : skip(title, "only on Bun");

/** What a platform has to leave beside the time an application may take. */
const spareMs = 2000;

const manifests = allFiles
  .filter((path) => /^examples\/deploy\/kubernetes\/.*\.yaml$/.test(path))
  .map((path) => basename(path))
  .filter((name) => name !== "kustomization.yaml" && name !== "nats.values.yaml");

const flies = ["fly.toml", "fly.single.toml"];

const pod = "spec.template.spec";
const container = `${pod}.containers.0`;

onBun(
  "[DP4] each platform waits for longer than what it does before and the leave takes",
  (files) => {
    const { at, said, stages, textOf, toml, unit, yaml } = files;
    const deployment = yaml("deployment.yaml");
    const waits: readonly (readonly [name: string, seconds: number])[] = [
      [
        "Kubernetes",
        at<number>(deployment, `${pod}.terminationGracePeriodSeconds`) -
        at<number>(deployment, `${container}.lifecycle.preStop.sleep.seconds`),
      ],
      ...flies.map((name) => [name, at<number>(toml(name), "kill_timeout")] as const),
      ["systemd", Number(unit().get("TimeoutStopSec")?.[0])],
    ];
    for (const [name, seconds] of waits) {
      assert(seconds * 1000 >= withinMs + spareMs, `${name} waits for ${seconds} s`);
    }
    const signals = [
      said(stages().at(-1), "STOPSIGNAL"),
      ...flies.map((name) => at<string>(toml(name), "kill_signal")),
      ...unit().get("KillSignal") ?? [],
    ];
    assertEquals(new Set(signals), new Set(["SIGTERM"]));
    // On one host: longer than Caddy takes to ask.
    const stops = unit().get("ExecStop") ?? [];
    assert(stops[0]?.includes("USR2") === true, "it is made unready first");
    const asked = Number(/health_interval (\d+)s/.exec(textOf("systemd/Caddyfile"))?.[1]);
    for (const said of [stops[1], unit().get("ExecStartPost")?.[1]]) {
      assert(Number(/sleep (\d+)$/.exec(said ?? "")?.[1]) > asked, `${said} is too short`);
    }
    // And what is said beside it.
    const named = ["kubernetes/deployment.yaml", ...flies.map((name) => `fly/${name}`)];
    const told = [...named, "systemd/board@.service"].map((name) =>
      /withinMs of config\.ts\D*(\d+) s\b/.exec(textOf(name))?.[1]
    );
    assertEquals(new Set(told), new Set([String(withinMs / 1000)]));
    const page = textOf("README.md");
    const grace = at(deployment, `${pod}.terminationGracePeriodSeconds`);
    assert(page.includes(`\`terminationGracePeriodSeconds: ${grace}\``), "Kubernetes in README.md");
    assert(page.includes(`\`kill_timeout = ${waits[1]?.[1]}\``), "Fly in README.md");
    assert(page.includes(`\`TimeoutStopSec=${waits.at(-1)?.[1]}\``), "systemd in README.md");
  },
);

onBun("[DP4] ports and paths of probes are those of the application", (files) => {
  const { at, imageEnv, said, stages, textOf, toml, unit, yaml } = files;
  const deployment = yaml("deployment.yaml");
  const { PORT } = imageEnv();
  const [named] = at<Data[]>(deployment, `${container}.ports`);
  const ports = [
    said(stages().at(-1), "EXPOSE"),
    at(named, "containerPort"),
    ...flies.map((name) => at(toml(name), "http_service.internal_port")),
  ];
  assertEquals(new Set(ports.map(String)), new Set([PORT]));
  const byName = [
    at(yaml("service.yaml"), "spec.ports.0.targetPort"),
    at(yaml("networkpolicy.yaml"), "spec.ingress.0.ports.0.port"),
    ...["startup", "liveness", "readiness"].map((probe) =>
      at(deployment, `${container}.${probe}Probe.httpGet.port`)
    ),
  ];
  assertEquals(new Set(byName), new Set([at(named, "name")]));
  const backend = "spec.rules.0.http.paths.0.backend.service";
  assertEquals(
    at(yaml("ingress.yaml"), `${backend}.port.name`),
    at(yaml("service.yaml"), "spec.ports.0.name"),
  );
  assertEquals(
    at(yaml("ingress.yaml"), `${backend}.name`),
    at(yaml("service.yaml"), "metadata.name"),
  );

  const path = (probe: string) => at(deployment, `${container}.${probe}Probe.httpGet.path`);
  assertEquals([path("startup"), path("liveness")], [probes.alive, probes.alive]);
  const caddy = textOf("systemd/Caddyfile");
  const ready = [
    path("readiness"),
    ...flies.map((name) => at(toml(name), "http_service.checks.0.path")),
    /health_uri (\S+)/.exec(caddy)?.[1],
    /127\.0\.0\.1:%i(\S+)$/.exec(unit().get("ExecStartPost")?.[0] ?? "")?.[1],
  ];
  assertEquals(new Set(ready), new Set([probes.ready]));
  const upstreams = [...caddy.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port);
  const units = [...textOf("systemd/board@.service").matchAll(/board@(\d+)/g)];
  assertEquals(new Set(units.map(([, port]) => port)), new Set(upstreams));
  assert(upstreams.length === 2, `Caddy leads to ${upstreams}`);
});

const secret = "a-secret-of-the-tests-as-long-as-it-has-to-be";

/** What the image makes of it, whatever else is said. */
const image = { hostname: "0.0.0.0", port: 3000, production: true, secrets: [secret] };

/** Reads the settings of a platform; of what it says nothing goes unread, but what it says for others too. */
function settled(env: Environment, forOthers: readonly string[] = []): Settings {
  const asked = new Set<string>();
  const watched = new Proxy(env, {
    get: (target, name) => (asked.add(String(name)), Reflect.get(target, name)),
  });
  const settings = readSettings(watched);
  assertEquals(Object.keys(env).filter((name) => !asked.has(name)), [...forOthers]);
  return settings;
}

/** An environment in which each file that is named, and mounted at a place, has a secret of the tests. */
function mounted(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  place: string,
  names: readonly string[],
): Environment {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-deploy-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "any");
  writeFileSync(file, secret);
  const said = Object.entries(env).map(([name, value]) => {
    if (!name.endsWith("_FILE")) return [name, value];
    assert(names.some((one) => value === `${place}/${one}`), `nothing is mounted at ${value}`);
    return [name, file];
  });
  return Object.fromEntries(said);
}

onBun("[DP4] Kubernetes says all that the application needs, and has no secret", (files, t) => {
  const { at, imageEnv, yaml } = files;
  const inSecret = Object.entries(at<Data>(yaml("secret.example.yaml"), "stringData"));
  assertEquals(inSecret.filter(([, value]) => value !== ""), []);
  const place = at<string>(yaml("deployment.yaml"), `${container}.volumeMounts.0.mountPath`);
  const map = at<Record<string, string>>(yaml("configmap.yaml"), "data");
  const env = mounted(t, map, place, inSecret.map(([name]) => name));
  assertEquals(settled({ ...imageEnv(), ...env }, ["DATA_DIR"]), {
    ...image,
    store: { kind: "postgres", url: secret },
    meeting: { servers: map["NATS_URL"] ?? "", user: "board", pass: secret },
  });
});

onBun(
  "[DP4] Fly says all that the application needs, but the secrets",
  ({ at, imageEnv, toml }) => {
    const env = at<Record<string, string>>(toml("fly.toml"), "env");
    const given = { SECRETS: secret, NATS_PASSWORD: secret, BUCKET_NAME: "bucket" };
    assertEquals(settled({ ...imageEnv(), ...env, ...given }, ["DATA_DIR"]), {
      ...image,
      store: { kind: "s3", bucket: "bucket" },
      meeting: { servers: env["NATS_URL"] ?? "", user: "board", pass: secret },
    });
    const single = toml("fly.single.toml");
    const alone = at<Record<string, string>>(single, "env");
    assertEquals(settled({ ...imageEnv(), ...alone, SECRETS: secret }), {
      ...image,
      store: { kind: "sqlite", path: `${at<string>(single, "mounts.destination")}/board.db` },
    });
  },
);

onBun("[DP4] the unit says all that the application needs", ({ pairs, unit }, t) => {
  const [credential = ""] = unit().get("LoadCredential") ?? [];
  const said = pairs((unit().get("Environment") ?? []).join(" ").replaceAll("%i", "3001"));
  const env = mounted(t, said, "%d", [credential.split(":")[0] ?? ""]);
  assertEquals(settled(env), {
    ...image,
    hostname: "127.0.0.1",
    port: 3001,
    store: { kind: "sqlite", path: `/var/lib/${unit().get("StateDirectory")?.[0]}/board.db` },
  });
});

onBun(
  "[DP4] the image is of the Bun that is tested, runs as nobody else than the pods do, and has no shell in between",
  (files) => {
    const { at, said, stages, yaml } = files;
    const [before, , last] = stages();
    const { devDependencies } = JSON.parse(read("package.json"));
    assertEquals(said(before, "ARG"), `BUN=${devDependencies.bun}`);
    assertEquals(stages().slice(1).map((stage) => said(stage, "FROM").replace(/ AS .*/, "")), [
      "oven/bun:${BUN}",
      "oven/bun:${BUN}-distroless",
    ]);
    const user = /^RUN_AS=(\d+)$/.exec(said(last, "ARG"))?.[1];
    assertEquals(said(last, "USER"), "${RUN_AS}:${RUN_AS}");
    const security = at<Data>(yaml("deployment.yaml"), `${pod}.securityContext`);
    for (const name of ["runAsUser", "runAsGroup", "fsGroup"]) {
      assertEquals(String(security[name]), user, name);
    }
    assert(Array.isArray(JSON.parse(said(last, "ENTRYPOINT"))), "a list is run as it is");
  },
);

onBun(
  "[DP5] the manifests are what the API of Kubernetes takes, and all of them are applied but the secret",
  async ({ yaml }) => {
    const { findingsIn } = await import("./kubernetes.ts");
    // With two that are wrong: it finds them.
    const { apiVersion, kind } = yaml("deployment.yaml");
    const wrongly = (spec: object) => ["wrong", { apiVersion, kind, spec }] as const;
    const rest = { selector: {}, template: {} };
    const findings = findingsIn([
      ...manifests.map((name) => [name, yaml(name)] as const),
      wrongly({ ...rest, replicas: "3" }),
      wrongly({ ...rest, strategy: { rollingUpdate: { maxUnavailible: 0 } } }),
    ]);
    assertEquals(findings.filter((finding) => !finding.startsWith("wrong: ")), []);
    assertEquals(findings.length, 2, findings.join("\n"));
    const { resources } = yaml("kustomization.yaml") as { readonly resources: readonly string[] };
    assertEquals([...resources, "secret.example.yaml"].sort(), [...manifests].sort());
  },
);

onBun("[DP5] Fly knows every key, and takes every value", ({ toml }) => {
  for (const name of flies) assertEquals(unknownIn(toml(name)), [], name);
  const wrong = {
    app: "a",
    kill_timeout: 301,
    deploy: { strategy: "blue" },
    http_service: { port: 1 },
  };
  assertEquals(unknownIn(wrong), ["kill_timeout", "deploy.strategy", "http_service.port"]);
});

const verified = "[DP5] systemd takes the unit, and finds little in it to be afraid of";
if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
  skip(verified, "only on machines with systemd-analyze");
} else if (runtime !== "bun") skip(verified, "only on Bun");
else {
  test(verified, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-deploy-"));
    t.defer(() => rmSync(folder, { recursive: true, force: true }));
    const place = join(folder, "board@.service");
    const ask = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
      return { status, output: `${stdout}${stderr}` };
    };
    // What it starts need not be on this machine.
    const unit = read("examples/deploy/systemd/board@.service")
      .replaceAll(/=\/(?:usr\/local\/)?(?:usr\/)?bin\/\w+ /g, `=${process.execPath} `);
    writeFileSync(place, unit.replace("UMask=", "UMaks="));
    assert(ask("verify", "--man=no", place).output.includes("UMaks"), "it finds what is wrong");
    writeFileSync(place, unit);
    assertEquals(ask("verify", "--man=no", place), { status: 0, output: "" });
    const exposed = ask("security", "--offline=true", "--no-pager", "--threshold=20", place);
    assertEquals(exposed.status, 0, exposed.output);
  });
}

onBun("[DP5] what the image bundles runs by itself, as the image runs it", async (files, t) => {
  const { imageEnv, said, stages } = files;
  const [, build, last] = stages();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-deploy-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const command = build?.findLast(({ rest }) => rest.startsWith("bun build"))?.rest ?? "";
  const entry = said(build, "ARG").replace("ENTRY=", "");
  const args = command.replace('"$ENTRY"', entry).split(" ").slice(1);
  const out = args.map((arg) => arg.replace("--outfile=", `--outfile=${folder}/`));
  const built = spawnSync(process.execPath, out, { cwd: root, encoding: "utf8" });
  assertEquals(built.status, 0, built.stderr);

  const [, ...entrypoint] = JSON.parse(said(last, "ENTRYPOINT")) as string[];
  // Nothing is there: it loads the drivers all the same, and says what it cannot reach.
  const nowhere = { DATABASE_URL: "postgres://127.0.0.1:1/board", NATS_URL: "nats://127.0.0.1:1" };
  const env = {
    ...imageEnv(),
    STORAGE: "postgres",
    SECRETS: "s3cret-of-the-tests-0123456789-abcdef",
  };
  const child = spawn(process.execPath, entrypoint, {
    cwd: folder,
    env: { ...env, ...nowhere, HOST: "127.0.0.1", PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.defer(() => void child.kill("SIGKILL"));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = /(http:\/\/\S+) \(postgres, NATS\)/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    exited.then((code) => reject(new Error(`It ended with ${code}: ${output}`)));
  });
  const { status, body } = await new Jar().get(url + probes.ready);
  const report = { status: "ready", failing: ["storage", "cluster"] };
  assertEquals([status, JSON.parse(body)], [200, report]);
  child.kill("SIGTERM");
  assertEquals(await exited, 0, output);
});
