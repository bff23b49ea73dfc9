// Longer than 400 lines because what a node does depends on one state: link, incarnation, who is there.
import { encodeBase64url } from "../core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../core/errors.ts";
import { type JsonValue, utf8Length } from "../core/json.ts";
import type { Errand, Router } from "../object/router.ts";
import type { Clock } from "../ports/clock.ts";
import type { Cluster, ClusterLink, ClusterReply } from "../ports/cluster.ts";
import type { Random } from "../ports/random.ts";
import { doing, type ErrandObjects, packErrand, runErrand, settle } from "./errand.ts";
import { type Beat, candidatesOf, Members, place } from "./members.ts";
import { ownerOf } from "./placement.ts";
import { SeenNumbers } from "./seen.ts";
import {
  type Answer,
  type Forwarded,
  packError,
  readAnswer,
  readBeat,
  readMessage,
  readRequest,
  type Release,
} from "./wire.ts";

/** Times of a node among others, in milliseconds. */
export interface ClusterSettings {
  /** Between two heartbeats. */
  readonly beatEveryMs: number;
  /** Whoever was not heard for so long is taken for dead. */
  readonly lapseMs: number;
}

/** What a node needs of the objects of its process. */
export interface LocalObjects extends ErrandObjects {
  /** Whether calls of a class are taken at all; one that is part of an accepted call still is. */
  accepts(className: string, nested: boolean): boolean;
  /** Time limit of the calls of a class in milliseconds. */
  limitMs(className: string): number;
  /** Lets go of one object once it has nothing more to do. */
  release(className: string, id: string): Promise<void>;
  /** Lets go of all objects that are not to be kept, and looks again for alarms. */
  moved(keep: (className: string, key: string) => boolean): void;
}

/** What a node stands on. */
export interface NodePorts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: Random;
}

/** Routes tried before a call is run where it was made. */
const maxRoutes = 8;

/** Nodes whose calls are remembered, so that a copy of one is not run again, beside those that are there. */
const maxSenders = 1000;

/** How long the last answers of a node that leaves may take once they are known. */
const lastAnswersMs = 50;

const refused = { kind: "refused" } as const satisfies Answer;
/** For a copy of a call that has been answered: no {@linkcode Answer}, so the call may have been run. */
const known = JSON.stringify({ kind: "known" });

/**
 * One node among others: knows who is there, and takes each call to the owner of its object.
 * Whenever it cannot be sure to be of one mind with the others (no link, a link or a member that has
 * just come or gone, a process that was stopped for a while) calls run on what the store holds now.
 */
export class ClusterNode implements Router {
  readonly #ports: NodePorts;
  readonly #settings: ClusterSettings;
  readonly #members: Members;
  readonly #address: string;
  readonly #link: ClusterLink;
  readonly #serves: Record<string, number> = {};
  readonly #waiting: Map<string, Set<(reply: ClusterReply) => void>> = new Map();
  /** Which calls of each other node have been here. */
  readonly #seen: Map<string, SeenNumbers> = new Map();
  /** What other nodes wait for, by who and which of its calls. */
  readonly #answering: Map<string, Promise<string>> = new Map();
  readonly #claims: Map<string, Promise<void>> = new Map();
  readonly #topics: Map<string, (body: JsonValue) => void> = new Map();
  #objects: LocalObjects | undefined;
  #state: Beat["state"] = "up";
  #incarnation = 1;
  #linked = false;
  #beatAt: number;
  /** Until then owners may have just changed. */
  #settledAt: number;
  /** Who was there before they did. */
  #before: readonly Beat[] = [];
  #starting = true;
  /** Grows with what this node says of itself, as that of the members does with what they say. */
  #version = 0;
  #candidatesAt = -1;
  readonly #candidatesOf: Map<string, readonly string[]> = new Map();
  #count = 0;
  #cancelBeat: (() => void) | undefined;

  constructor(ports: NodePorts, settings: ClusterSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#members = new Members(settings.lapseMs);
    this.#address = encodeBase64url(ports.random.bytes(12));
    this.#beatAt = ports.clock.monotonic();
    this.#settledAt = this.#beatAt + settings.lapseMs;
    this.#link = ports.cluster.join(this.#address, {
      request: (text) => this.#onRequest(text),
      broadcast: (text) => this.#onBroadcast(text),
      linked: (up) => this.#onLinked(up),
    });
    this.#beatLater();
  }

  /** Where other nodes reach this one. */
  get address(): string {
    return this.#address;
  }

  /** The addresses of all nodes this one knows of, itself included, in order. */
  get members(): readonly string[] {
    return [this.#address, ...this.#members.beats().map(({ address }) => address)].sort();
  }

  /** Whether nobody else is there: whoever was would have been heard by now. */
  get alone(): boolean {
    return this.#members.size === 0 && this.#ports.clock.monotonic() >= this.#settledAt;
  }

  /** Whether this node has a link to others, if there are any. */
  get linked(): boolean {
    return this.#linked;
  }

  /** Hands over the objects that other nodes' calls are for. */
  attach(objects: LocalObjects): void {
    this.#objects = objects;
  }

  /** Hears what other nodes tell about a topic. */
  listen(topic: string, hear: (body: JsonValue) => void): void {
    this.#topics.set(topic, hear);
  }

  /** Tells all other nodes, as well as it can. */
  tell(topic: string, body: JsonValue): void {
    if (!this.#linked) return;
    const text = JSON.stringify({ kind: "note", topic, body });
    if (utf8Length(text) <= this.#link.maxBytes) this.#link.broadcast(text);
  }

  serves(className: string, vsn: number): void {
    if (this.#serves[className] === vsn) return;
    this.#serves[className] = vsn;
    this.#version++;
    this.#beat();
  }

  owns(className: string, key: string): boolean {
    const owner = this.#owner(className, key);
    return owner === undefined || owner === this.#address;
  }

  async route(errand: Errand, run: (fresh: boolean) => Promise<unknown>): Promise<unknown> {
    const { spec } = errand.cls;
    for (let tries = 0; tries < maxRoutes; tries++) {
      const owner = this.#owner(spec.name, errand.key);
      if (owner === undefined || owner === this.#address) return await this.#runOwn(errand, run);
      const text = this.#message(owner, errand);
      if (text === undefined) break;
      const answer = await this.#forward(owner, text, errand);
      if (answer !== undefined) return settle(answer);
    }
    return await run(true);
  }

  /** Takes no more of the others' calls; they go elsewhere from now on. */
  drain(): void {
    if (this.#state !== "up") return;
    this.#state = "draining";
    this.#version++;
    this.#beat();
  }

  /** Leaves for good, once those who wait have their answers. */
  async close(): Promise<void> {
    // What has not ended by now has outlasted the drain, and is not waited for.
    const answers = [...this.#answering.values()];
    await Promise.race([Promise.allSettled(answers), this.#after(lastAnswersMs)]);
    this.#state = "gone";
    this.#version++;
    this.#cancelBeat?.();
    this.#beat();
    this.#linked = false;
    await this.#link.close();
    for (const address of [...this.#waiting.keys()]) this.#giveUp(address);
  }

  #self(): Beat {
    return {
      address: this.#address,
      incarnation: this.#incarnation,
      state: this.#state,
      serves: this.#serves,
    };
  }

  #owner(className: string, key: string): string | undefined {
    return this.#linked ? ownerOf(this.#candidates(className), key) : undefined;
  }

  /** Who may own objects of a class, kept until anybody says something new. */
  #candidates(className: string): readonly string[] {
    const version = this.#members.version + this.#version;
    if (version !== this.#candidatesAt) {
      this.#candidatesAt = version;
      this.#candidatesOf.clear();
    }
    let candidates = this.#candidatesOf.get(className);
    if (candidates === undefined) {
      candidates = candidatesOf(this.#view(), className);
      this.#candidatesOf.set(className, candidates);
    }
    return candidates;
  }

  async #runOwn(errand: Errand, run: (fresh: boolean) => Promise<unknown>): Promise<unknown> {
    if (this.#sure()) return await run(false);
    if (this.#linked) await this.#claim(errand.cls.spec.name, errand.id, errand.key);
    return await run(true);
  }

  /** Whether what is in memory is what the store holds, as far as the others keep to placement. */
  #sure(): boolean {
    const now = this.#ports.clock.monotonic();
    if (now - this.#beatAt >= this.#settings.lapseMs) this.#beginAnew();
    return this.#linked && now >= this.#settledAt;
  }

  /** Waits until the former owner of an object has let go of it, or is taken for dead. */
  #claim(className: string, id: string, key: string): Promise<void> {
    const known = this.#claims.get(key);
    if (known !== undefined) return known;
    const others = this.#members.beats();
    const former = place(this.#starting ? others : this.#before, className, key);
    if (
      former === undefined || former === this.#address || this.#members.get(former) === undefined
    ) {
      return Promise.resolve();
    }
    const ask: Release = { kind: "release", from: this.#self(), className, objectId: id };
    const claim = this.#ask(former, JSON.stringify(ask), this.#settings.lapseMs).then(() => {});
    this.#claims.set(key, claim);
    return claim;
  }

  #message(owner: string, errand: Errand): string | undefined {
    const to = this.#members.get(owner);
    if (to === undefined) return undefined;
    const message: Forwarded = {
      kind: "call",
      number: this.#count++,
      from: this.#address,
      to: to.incarnation,
      ...packErrand(errand),
    };
    const text = JSON.stringify(message);
    return utf8Length(text) <= this.#link.maxBytes ? text : undefined;
  }

  /**
   * Has a call run by another node; `undefined` if it was not, for certain. An answer that cannot be
   * read may be that of a call that was run.
   */
  async #forward(
    owner: string,
    text: string,
    { cls: { spec: { name: className } }, operation, handler }: Errand,
  ): Promise<Exclude<Answer, typeof refused> | undefined> {
    // The owner sees to the limit itself; this one is for when nothing comes back.
    const limitMs = Math.min(this.#objects?.limitMs(className) ?? 30_000, 2 ** 31 - 2000) + 1000;
    const reply = await this.#ask(owner, text, limitMs);
    const answer = reply.ok ? readAnswer(reply.text) : undefined;
    if (reply.ok ? answer === undefined : reply.why === "unknown") {
      throw new StorageUnavailableError(
        `Cannot tell what became of ${doing(operation, handler)} of object "${className}": ` +
          "the node that has it gave no answer",
        "unknown",
      );
    }
    if (answer !== undefined && answer.kind !== "refused") return answer;
    this.#avoid(owner, reply.ok);
    return undefined;
  }

  /** Takes a node that has not run a call off the list of owners. */
  #avoid(address: string, answers: boolean): void {
    const beat = this.#members.get(address);
    if (beat === undefined || (answers && beat.state === "draining")) return;
    this.#changing();
    if (answers) {
      // What it has under way it goes on with.
      this.#members.hear({ ...beat, state: "draining" }, this.#ports.clock.monotonic());
    } else {
      // It is not there, or has lost its link: back with its next heartbeat.
      this.#members.suspect(address);
      this.#giveUp(address);
    }
    this.#moved();
  }

  /** Asks, and gives up as soon as whom it asks is taken for dead. */
  #ask(address: string, text: string, timeoutMs: number): Promise<ClusterReply> {
    return new Promise((resolve, reject) => {
      let waiting = this.#waiting.get(address);
      if (waiting === undefined) this.#waiting.set(address, waiting = new Set());
      const settle = (reply: ClusterReply): void => {
        waiting.delete(settle);
        resolve(reply);
      };
      waiting.add(settle);
      this.#link.request(address, text, timeoutMs).then(settle, reject);
    });
  }

  #giveUp(address: string): void {
    for (const settle of this.#waiting.get(address) ?? []) settle({ ok: false, why: "unknown" });
    this.#waiting.delete(address);
  }

  #onRequest(text: string): Promise<string> {
    const message = readRequest(text);
    if (message === undefined || this.#objects === undefined) return answered(refused);
    if (message.kind === "release") {
      this.#hear(message.from);
      return this.#release(message, this.#objects);
    }
    const id = `${message.from} ${message.number}`;
    if (!this.#isFirst(message)) return this.#answering.get(id) ?? Promise.resolve(known);
    // One that was stopped for a while notices first, and does not run what was meant for before.
    this.#sure();
    const leaves = this.#state === "gone" ||
      (this.#state === "draining" && message.chain.length === 0);
    if (leaves || message.to !== this.#incarnation) return answered(refused);
    const answer = this.#perform(message, this.#objects);
    this.#answering.set(id, answer);
    void answer.then(() => this.#answering.delete(id));
    return answer;
  }

  /** Whether a call is no copy of one that has been here. */
  #isFirst({ from, number }: Forwarded): boolean {
    let seen = this.#seen.get(from);
    if (seen === undefined) {
      seen = new SeenNumbers();
      this.#seen.set(from, seen);
      for (const sender of this.#seen.size > maxSenders ? this.#seen.keys() : []) {
        if (sender === from || this.#members.get(sender) !== undefined) continue;
        this.#seen.delete(sender);
        break;
      }
    }
    return seen.first(number);
  }

  async #perform(message: Forwarded, objects: LocalObjects): Promise<string> {
    const { className, operation, handler, chain } = message;
    // Decided before anything runs: what a handler throws, whatever its code, is its answer.
    if (!objects.accepts(className, chain.length > 0)) return JSON.stringify(refused);
    const answer = JSON.stringify(await runErrand(message, objects, !this.#sure()));
    if (utf8Length(answer) <= this.#link.maxBytes) return answer;
    const what = `the reply of ${doing(operation, handler)} of object "${className}"`;
    const error = new HoldfastError(
      "ERR_TOO_LARGE",
      `Cannot send ${what}: the link carries no more`,
    );
    return JSON.stringify({ kind: "error", error: packError(error) });
  }

  async #release({ className, objectId }: Release, objects: LocalObjects): Promise<string> {
    // Whatever it fails with, storage decides who writes.
    await objects.release(className, objectId).catch(() => {});
    return JSON.stringify({ kind: "reply" });
  }

  #onBroadcast(text: string): void {
    const message = readMessage(text);
    if (message?.["kind"] === "beat") {
      const beat = readBeat(message["beat"]);
      if (beat !== undefined) this.#hear(beat);
    } else if (message?.["kind"] === "note") {
      const body = message["body"] as JsonValue;
      this.#topics.get(String(message["topic"]))?.(body);
    }
  }

  #hear(beat: Beat): void {
    if (beat.address === this.#address) return;
    const now = this.#ports.clock.monotonic();
    const before = this.#view();
    const heard = this.#members.hear(beat, now);
    if (heard === "same") return;
    this.#changing(before);
    // So that one that has just come does not wait for the next heartbeat to know who is there.
    if (heard === "new") this.#beat();
    if (beat.state === "gone") {
      // It has answered before it said so: what has just arrived may not be read yet.
      void this.#after(lastAnswersMs).then(() => this.#giveUp(beat.address));
    } else if (this.#members.get(beat.address) === undefined) this.#giveUp(beat.address);
    this.#moved();
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.timer(ms, resolve));
  }

  #onLinked(up: boolean): void {
    if (this.#state === "gone") return;
    this.#linked = up;
    this.#beginAnew();
  }

  /** Out of touch for a while: whatever is in memory may be old, and others may have taken over. */
  #beginAnew(): void {
    const { clock } = this.#ports;
    this.#incarnation++;
    this.#beatAt = clock.monotonic();
    this.#starting = true;
    this.#settledAt = this.#beatAt + this.#settings.lapseMs;
    this.#claims.clear();
    for (const address of this.#members.clear()) this.#giveUp(address);
    this.#objects?.moved(() => false);
    this.#beat();
  }

  #view(): readonly Beat[] {
    return [this.#self(), ...this.#members.beats()];
  }

  /** Notes who was there, as owners are about to change. */
  #changing(before: readonly Beat[] = this.#view()): void {
    const now = this.#ports.clock.monotonic();
    if (now >= this.#settledAt) {
      this.#starting = false;
      this.#before = before;
    }
    this.#settledAt = now + this.#settings.lapseMs;
    this.#claims.clear();
  }

  #moved(): void {
    this.#objects?.moved((className, key) => this.owns(className, key));
  }

  #beat(): void {
    if (!this.#linked) return;
    this.#link.broadcast(JSON.stringify({ kind: "beat", beat: this.#self() }));
  }

  #beatLater(): void {
    const { clock, random } = this.#ports;
    const delayMs = this.#settings.beatEveryMs * (0.9 + 0.2 * random.number());
    this.#cancelBeat = clock.timer(delayMs, () => this.#onTimer(), { background: true });
  }

  #onTimer(): void {
    const now = this.#ports.clock.monotonic();
    // Stopped for so long that the others have taken it for dead.
    if (now - this.#beatAt >= this.#settings.lapseMs) this.#beginAnew();
    this.#beatAt = now;
    this.#beat();
    const before = this.#view();
    const lapsed = this.#members.lapse(now);
    if (lapsed.length > 0) {
      this.#changing(before);
      for (const address of lapsed) this.#giveUp(address);
      this.#moved();
    }
    this.#beatLater();
  }
}

function answered(answer: Answer): Promise<string> {
  return Promise.resolve(JSON.stringify(answer));
}
