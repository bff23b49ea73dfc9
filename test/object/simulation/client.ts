import type { Current, Decision, Turn } from "../../../src/object/types.ts";
import { idsOf } from "../world.ts";
import { fateOf, type History } from "./history.ts";
import type { Node, Site } from "./node.ts";

/** What clients act on. */
export interface Scene {
  readonly site: Site;
  readonly history: History;
  /** The nodes that are up. */
  readonly nodes: Node[];
  readonly keys: readonly string[];
}

/** A pause in virtual time. */
export function pause({ clock }: Site, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.timer(ms, resolve));
}

const lost: unique symbol = Symbol("the node died");

/** The answer, unless the node dies before. */
function asked<T>(node: Node, promise: Promise<T>): Promise<T | typeof lost> {
  return Promise.race<T | typeof lost>([promise, node.killed.then((): typeof lost => lost)]);
}

/** Does one thing after the other, or several at once, until it has done enough. */
export async function runClient(scene: Scene, name: string, actions: number): Promise<void> {
  const { site } = scene;
  for (let n = 0; n < actions; n++) {
    await pause(site, site.random.number() * 30);
    const burst = site.random.number() < 0.3 ? 3 : 1;
    const all = Array.from({ length: burst }, (_, b) => act(scene, `${name}.${n}.${b}`));
    await Promise.all(all);
  }
}

async function act(scene: Scene, id: string): Promise<void> {
  const { random } = scene.site;
  const key = pick(scene.keys, random.number());
  const lot = random.number();
  if (lot < 0.6) await append(scene, key, id);
  else if (lot < 0.97) await read(scene, key);
  else if (key.startsWith("mortal/")) await end(scene, key);
}

function pick<T>(items: readonly T[], lot: number): T {
  const item = items[Math.floor(lot * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

async function aNode({ site, nodes }: Scene): Promise<Node> {
  while (nodes.length === 0) await pause(site, 10);
  return pick(nodes, site.random.number());
}

/** Appends an id; some clients try again when they may, others when they must not lose it. */
async function append(scene: Scene, key: string, id: string): Promise<void> {
  const { site, history } = scene;
  const patience = Math.floor(site.random.number() * 4);
  const careful = site.random.number() < 0.5;
  let doubtful = false;
  for (let attempt = 0; attempt <= patience; attempt++) {
    const fate = await attemptAppend(scene, key, id, doubtful);
    if (fate === "acknowledged" || fate === "unknown" && !careful) return;
    doubtful ||= fate === "unknown";
    await pause(site, site.random.number() * 20);
  }
  if (history.problems.length > 100) throw new Error("too much went wrong");
}

async function attemptAppend(
  scene: Scene,
  key: string,
  id: string,
  doubtful: boolean,
): Promise<string> {
  const { site, history } = scene;
  const node = await aNode(scene);
  const claim = history.claim(key);
  const fresh = site.random.number() < 0.4;
  const attempt = history.submit(key, id, node);
  try {
    const turn = appending(scene, key, id, doubtful);
    const seen = await asked(node, node.engine.run(key, turn, { fresh }));
    history.answer(attempt, seen === lost ? "unknown" : "acknowledged");
    // A write is compared with what the store holds; finding one's work done already is not.
    if (seen !== lost) history.saw(key, seen, false, fresh || !doubtful ? claim : undefined);
  } catch (error) {
    const fate = fateOf(error);
    if (fate === "strange") history.problems.push(`${key}: ${id} failed with ${String(error)}`);
    else history.answer(attempt, fate);
  }
  return attempt.fate;
}

/**
 * A turn as users write them: quick or slow, and it may throw. It looks whether its work was done
 * only if an earlier attempt is in doubt, so that whatever the engine does twice shows.
 */
function appending(
  { site, history }: Scene,
  key: string,
  id: string,
  doubtful: boolean,
): Turn<readonly string[]> {
  const { random } = site;
  const slow = random.number() < 0.2;
  const throws = random.number() < 0.05;
  // The engine itself keeps an ended object ended, also from a turn that does not look.
  const looks = random.number() < 0.8;
  const decide = (current: Current): Decision<readonly string[]> => {
    if (throws || looks && current.ended !== undefined) throw new Error("a turn threw");
    if (doubtful && idsOf(current).includes(id)) return { kind: "keep", reply: idsOf(current) };
    const ids = [...idsOf(current), id];
    const effects = [() => history.effect(key, id)];
    return { kind: "write", state: { ids }, reply: ids, effects };
  };
  return slow ? (current) => pause(site, 15).then(() => decide(current)) : decide;
}

async function read(scene: Scene, key: string): Promise<void> {
  const { site, history } = scene;
  const node = await aNode(scene);
  const claim = history.claim(key);
  const lot = site.random.number();
  const fresh = lot < 0.4;
  const beside = lot > 0.7;
  const keep: Turn<Current> = (current) => ({ kind: "keep", reply: current });
  try {
    const call = beside ? node.engine.read(key) : node.engine.run(key, keep, { fresh });
    const seen = await asked(node, call);
    if (seen === lost) return;
    const must = fresh || beside ? claim : undefined;
    history.saw(key, idsOf(seen), seen.ended !== undefined, must);
  } catch (error) {
    if (fateOf(error) === "strange") history.problems.push(`${key}: read: ${String(error)}`);
  }
}

async function end(scene: Scene, key: string): Promise<void> {
  const node = await aNode(scene);
  const ending: Turn<true> = () => ({ kind: "end", reply: true });
  try {
    if (await asked(node, node.engine.run(key, ending)) !== lost) scene.history.end(key);
  } catch (error) {
    if (fateOf(error) === "strange") scene.history.problems.push(`${key}: end: ${String(error)}`);
  }
}
