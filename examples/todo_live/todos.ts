/** A todo list: what it keeps, what can be done with it, and how it looks. */
import { defineStash } from "holdfast";
import { type AnyView, defineView, type ViewContext } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";

interface Item {
  readonly id: number;
  text: string;
  done: boolean;
}

interface State {
  items: Item[];
  draft: string;
}

const most = 100;
const text = v.pipe(v.string(), v.trim(), v.maxLength(200));
const Id = v.object({ id: v.pipe(v.string(), v.toNumber(), v.integer()) });
const Items = v.array(v.object({ id: v.number(), text: v.string(), done: v.boolean() }));

/** What is to be done belongs to the session: every tab shows it, and every tab changes it. */
const List = defineStash({
  name: "todo-list",
  vsn: 1,
  stored: ["items", "last"],
  schema: v.object({ items: Items, last: v.number() }),
  // The last id given out: a tab that has not heard yet may name one of an item that is gone.
  state: () => ({ items: [] as Item[], last: 0 }),
});

/** Shows what is stored: this page's view knows only what it last read. */
async function read({ state, session }: ViewContext<State>): Promise<void> {
  state.items = (await session.stash(List)).state.items;
}

/** Changes what is stored, in one step with reading it: tabs that do so at once lose nothing. */
async function change(
  { state, session }: ViewContext<State>,
  how: (items: Item[]) => Item[],
): Promise<void> {
  const list = await session.stash(List);
  await list.update((stored) => void (stored.items = how(stored.items)));
  state.items = list.state.items;
}

/** Adds what was typed, unless there is no room: then it stays where it was typed. */
async function add({ state, session }: ViewContext<State>, text: string): Promise<void> {
  const list = await session.stash(List);
  let isFull = false;
  await list.update((stored) => {
    isFull = stored.items.length >= most;
    if (isFull || text === "") return;
    stored.last = Math.max(stored.last, ...stored.items.map((item) => item.id)) + 1;
    stored.items.push({ id: stored.last, text, done: false });
  });
  state.items = list.state.items;
  state.draft = isFull ? text : "";
}

export const Todos: AnyView = defineView({
  name: "todos",
  vsn: 1,
  // What is being typed belongs to its page, over reconnects.
  stored: { draft: "reconnect" },
  schema: v.object({ draft: v.string() }),
  state: (): State => ({ items: [], draft: "" }),
  mount: read,
  // Another tab has stored something.
  info: read,
  events: {
    type: {
      input: v.object({ text: v.string() }),
      run({ state }, { text }) {
        state.draft = text;
      },
    },
    add: {
      input: v.object({ text }),
      run: (ctx, { text }) => add(ctx, text),
    },
    toggle: {
      input: Id,
      run: (ctx, { id }) =>
        change(
          ctx,
          (items) => items.map((item) => item.id === id ? { ...item, done: !item.done } : item),
        ),
    },
    remove: {
      input: Id,
      run: (ctx, { id }) => change(ctx, (items) => items.filter((item) => item.id !== id)),
    },
  },
  render: ({ state }) => {
    const left = state.items.filter(({ done }) => !done).length;
    return html`
      <form id="new" class="new" method="post" data-live-change="type" data-live-submit="add">
        <label for="text" class="quiet">What needs doing?</label>
        <input id="text" name="text" value="${state.draft}" placeholder="What needs doing?"
          maxlength="200" autocomplete="off" autofocus>
        <button name="_event" value="add">Add</button>
      </form>
      ${state.items.length === 0 ? html`<p class="empty">Nothing. Enjoy the sea.</p>` : ""}
      <ul class="items">${state.items.map(row)}</ul>
      <p class="left">${left} of ${state.items.length} left${state.items.length < most
        ? ""
        : html`. <b>The list is full: remove something first.</b>`}</p>
    `;
  },
});

/** One form a row, so that its buttons work without JavaScript, too. */
function row({ id, text, done }: Item): ReturnType<typeof html> {
  return html`
    <li id="item-${id}" class="${done ? "done" : ""}">
      <form id="toggle-${id}" method="post" data-live-submit="toggle">
        <input type="hidden" name="id" value="${id}">
        <button name="_event" value="toggle" class="tick" aria-pressed="${String(done)}"
          aria-label="Done: ${text}">${done ? "✓" : ""}</button>
      </form>
      <span>${text}</span>
      <form id="remove-${id}" method="post" data-live-submit="remove">
        <input type="hidden" name="id" value="${id}">
        <button name="_event" value="remove" class="remove" aria-label="Remove: ${text}">×</button>
      </form>
    </li>
  `;
}
