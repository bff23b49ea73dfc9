/** The part of Fly's `fly.toml` that is used here, as its reference and the source of flyctl have it. */

type Check = (value: unknown) => boolean;

interface Section {
  readonly [key: string]: Check | Section;
}

const text: Check = (value) => typeof value === "string" && value !== "";
const yes: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isInteger(value) && Number(value) > 0;
const texts: Check = (value) => Object.values(value as object).every(text);
const duration: Check = (value) => /^(?:[1-9]|[1-5]\d|60)s$/.test(String(value));
const one = (...values: readonly string[]): Check => (value) => values.includes(String(value));

const known: Section = {
  app: text,
  primary_region: (value) => /^[a-z]{3}$/.test(String(value)),
  kill_signal: one("SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL", "SIGSTOP"),
  kill_timeout: (value) => count(value) && Number(value) <= 300,
  build: { dockerfile: text, ignorefile: text, args: texts },
  deploy: { strategy: one("canary", "rolling", "immediate", "bluegreen") },
  env: texts,
  mounts: { source: text, destination: text, initial_size: text },
  http_service: {
    internal_port: count,
    force_https: yes,
    auto_stop_machines: one("off", "stop", "suspend"),
    auto_start_machines: yes,
    concurrency: { type: one("connections", "requests"), soft_limit: count, hard_limit: count },
    checks: { path: text, interval: duration, timeout: duration, grace_period: duration },
  },
  vm: { size: text, memory: (value) => /^\d+(?:mb|gb)$/.test(String(value)) },
};

/** Names the keys that are unknown, and those whose values are not taken; what is repeated is looked at each time. */
export function unknownIn(data: object, section: Section = known, place = ""): readonly string[] {
  return Object.entries(data).flatMap(([key, value]) => {
    const check = section[key];
    const here = place + key;
    if (check === undefined) return [here];
    if (typeof check === "function") return check(value) ? [] : [here];
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    return all.flatMap((each) =>
      typeof each === "object" && each !== null ? unknownIn(each, check, `${here}.`) : [here]
    );
  });
}
