/** The files of `examples/deploy`, as what they say. Bun has the parsers. */
import { read } from "../meta/files.ts";

/** What is in a file of YAML or TOML. */
export type Data = Readonly<Record<string, unknown>>;

interface Parser {
  parse(text: string): unknown;
}

const { YAML, TOML } = Reflect.get(globalThis, "Bun") as {
  readonly YAML: Parser;
  readonly TOML: Parser;
};

const folder = "examples/deploy/";

/** A file as it is. */
export function textOf(path: string): string {
  return read(folder + path);
}

/** A manifest of Kubernetes, or other YAML. */
export function yaml(name: string): Data {
  return YAML.parse(textOf(`kubernetes/${name}`)) as Data;
}

/** A configuration of Fly. */
export function toml(name: string): Data {
  return TOML.parse(textOf(`fly/${name}`)) as Data;
}

/** What is at a place: `"spec.containers.0.image"`. */
export function at<T = Data>(data: unknown, place: string): T {
  let value = data;
  for (const name of place.split(".")) {
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  if (value === undefined) throw new Error(`There is nothing at "${place}"`);
  return value as T;
}

/** An instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The stages of the image, each from its `FROM` on, after what is said before the first. */
export function stages(): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [[]];
  for (const line of textOf("Dockerfile").split("\n")) {
    const [, name = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === "" && !/^(?:#.*)?$/.test(line)) throw new Error(`Not an instruction: ${line}`);
    if (name === "FROM") stages.push([]);
    if (name !== "") stages.at(-1)?.push({ name, rest });
  }
  return stages;
}

/** What follows an instruction, of a stage: the only one of its name. */
export function said(stage: readonly Instruction[] | undefined, name: string): string {
  const [found, ...more] = stage?.filter((one) => one.name === name) ?? [];
  if (found === undefined || more.length > 0) throw new Error(`Not one ${name}`);
  return found.rest;
}

/** Pairs of `NAME=value`, separated by blanks. */
export function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.trim().split(/\s+/).map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return [name, value.join("=")];
    }),
  );
}

/** The environment of the image. */
export function imageEnv(): Record<string, string> {
  return pairs(said(stages().at(-1), "ENV"));
}

/** What the unit says, by name; what is said twice is there twice. */
export function unit(): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const line of textOf("systemd/board@.service").split("\n")) {
    const [, name, value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    all.set(name, [...all.get(name) ?? [], value]);
  }
  return all;
}
