/** How the board looks. */
import { childrenOf, type Present, type Tree, type TreeNode } from "holdfast";
import { html } from "hono/html";
import type { BoardState } from "./view.ts";

type Markup = ReturnType<typeof html>;

/** Somebody on the board. */
interface Person {
  readonly name: string;
  readonly color: string;
  readonly card: string;
  readonly isMe: boolean;
}

/** Each person once, however many pages they have open. */
function people(present: readonly Present[], me: string): readonly Person[] {
  const found = new Map<string, Person>();
  for (const { actor, color, data } of present) {
    if (actor === null) continue;
    const { name, card } = data as { name: string; card: string };
    const before = found.get(actor)?.card ?? "";
    found.set(actor, { name, color, card: card === "" ? before : card, isMe: actor === me });
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

export function render(state: BoardState, tree: Tree, present: readonly Present[]): Markup {
  const here = people(present, state.me.id);
  const columns = childrenOf(tree, null);
  return html`
    <header class="bar">
      <h1>Harbour board</h1>
      ${crew(here)}
      ${state.me.id === "" ? "" : tools()}
    </header>
    ${state.me.id === "" ? nameForm() : ""}
    <p class="notice" role="status">${state.notice}</p>
    <div class="columns">${columns.map((one) => column(state, tree, columns, one, here))}</div>
  `;
}

function crew(here: readonly Person[]): Markup {
  return html`
    <ul class="crew" aria-label="Who is here">${here.map(({ name, color, isMe }) =>
      html`
        <li style="--who: ${color}">${name}${isMe ? html`<small> (you)</small>` : ""}</li>
      `
    )}</ul>
  `;
}

function tools(): Markup {
  return html`
    <div class="tools">
      <form id="undo" method="post" data-live-submit="undo">
        <button name="_event" value="undo">Undo</button>
      </form>
      <form id="redo" method="post" data-live-submit="redo">
        <button name="_event" value="redo">Redo</button>
      </form>
    </div>
  `;
}

function nameForm(): Markup {
  return html`
    <form id="enter" class="enter" method="post" data-live-submit="enter">
      <label for="name">Your name, so that others know who moves what</label>
      <input id="name" name="name" required maxlength="40" autocomplete="nickname">
      <button name="_event" value="enter">Come aboard</button>
    </form>
  `;
}

function column(
  state: BoardState,
  tree: Tree,
  columns: readonly TreeNode[],
  { id, attrs }: TreeNode,
  here: readonly Person[],
): Markup {
  const cards = childrenOf(tree, id);
  const title = String(attrs["title"]);
  return html`
    <section id="column-${id}" class="column" data-column="${id}" data-live-hook="Column"
      aria-label="${title}">
      <h2>${title} <span class="count">${cards.length}</span></h2>
      <ul class="cards">${cards.map((node, at) =>
        card(
          state,
          columns,
          node,
          { at, of: cards.length },
          here.filter((one) => one.card === node.id),
        )
      )}</ul>
      ${state.me.id === "" ? "" : addForm(id, title, state.drafts[id] ?? "")}
    </section>
  `;
}

function addForm(column: string, title: string, draft: string): Markup {
  return html`
    <form id="add-${column}" class="add" method="post" data-live-change="type"
      data-live-submit="add">
      <input type="hidden" name="column" value="${column}">
      <label class="quiet" for="title-${column}">New card in ${title}</label>
      <input id="title-${column}" name="title" value="${draft}" maxlength="200"
        placeholder="New card" autocomplete="off" data-live-focus="look"
        data-live-value-card="">
      <button name="_event" value="add" aria-label="Add to ${title}">Add</button>
    </form>
  `;
}

function card(
  state: BoardState,
  columns: readonly TreeNode[],
  { id, attrs, parent }: TreeNode,
  { at, of }: { readonly at: number; readonly of: number },
  here: readonly Person[],
): Markup {
  const title = String(attrs["title"]);
  const others = here.filter(({ isMe }) => !isMe);
  const mine = state.me.id !== "";
  return html`
    <li id="card-${id}" class="card" tabindex="-1" data-card="${id}"
      draggable="${String(mine && state.editing !== id)}" data-live-focus="look"
      data-live-value-card="${id}" style="${others[0] ? `--who: ${others[0].color}` : ""}">
      ${state.editing === id ? renameForm(id, title) : html`<span class="title">${title}</span>`}
      ${others.length === 0
        ? ""
        : html`<small class="at">${others.map(({ name }) => name).join(", ")}</small>`}
      ${mine && state.editing !== id
        ? cardForm(id, title, placesAround(columns, parent ?? "", at, of))
        : ""}
    </li>
  `;
}

function renameForm(id: string, title: string): Markup {
  return html`
    <form id="rename-${id}" class="add" method="post" data-live-submit="rename">
      <input type="hidden" name="id" value="${id}">
      <label class="quiet" for="rename-title-${id}">New title of ${title}</label>
      <input id="rename-title-${id}" name="title" value="${title}" maxlength="200" autofocus>
      <button name="_event" value="rename">Save</button>
    </form>
  `;
}

/** Where a card can go by one step. */
interface Step {
  readonly label: string;
  readonly sign: string;
  readonly value: string | undefined;
}

function placesAround(
  columns: readonly TreeNode[],
  parent: string,
  at: number,
  of: number,
): readonly Step[] {
  const place = columns.findIndex(({ id }) => id === parent);
  const [before, after] = [columns[place - 1], columns[place + 1]];
  const beside = (one: TreeNode | undefined) => one === undefined ? undefined : `${one.id}:9999`;
  return [
    {
      label: `to ${String(before?.attrs["title"])}`,
      sign: "←",
      value: beside(before),
    },
    { label: "up", sign: "↑", value: at === 0 ? undefined : `${parent}:${at - 1}` },
    { label: "down", sign: "↓", value: at === of - 1 ? undefined : `${parent}:${at + 1}` },
    {
      label: `to ${String(after?.attrs["title"])}`,
      sign: "→",
      value: beside(after),
    },
  ];
}

function cardForm(id: string, title: string, steps: readonly Step[]): Markup {
  return html`
    <form id="act-${id}" class="acts" method="post" data-live-submit="act">
      <input type="hidden" name="_event" value="act">
      <input type="hidden" name="id" value="${id}">
      ${steps.map(({ label, sign, value }) =>
        value === undefined ? html`<span></span>` : html`
          <button name="move" value="${value}"
            aria-label="Move ${title} ${label}">${sign}</button>
        `
      )}
      <button name="edit" value="1" aria-label="Rename ${title}">✎</button>
      <button name="remove" value="1" aria-label="Remove ${title}">×</button>
    </form>
  `;
}
