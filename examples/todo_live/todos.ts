/** A todo list: what it keeps, what can be done with it, and how it looks. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";

interface Item {
  readonly id: number;
  text: string;
  done: boolean;
}

const text = v.pipe(v.string(), v.trim(), v.maxLength(200));
const Id = v.object({ id: v.pipe(v.string(), v.toNumber(), v.integer()) });

export const Todos: AnyView = defineView({
  name: "todos",
  vsn: 1,
  // The list belongs to the session, so every tab has it. What is being typed belongs to its page.
  stored: { items: "session", draft: "reconnect" },
  schema: v.object({
    items: v.array(v.object({ id: v.number(), text: v.string(), done: v.boolean() })),
    draft: v.string(),
  }),
  state: () => ({ items: [] as Item[], draft: "" }),
  events: {
    type: {
      input: v.object({ text: v.string() }),
      run({ state }, { text }) {
        state.draft = text;
      },
    },
    add: {
      input: v.object({ text }),
      run({ state }, { text }) {
        if (text === "" || state.items.length >= 100) return;
        const id = 1 + Math.max(0, ...state.items.map((item) => item.id));
        state.items.push({ id, text, done: false });
        state.draft = "";
      },
    },
    toggle: {
      input: Id,
      run({ state }, { id }) {
        const item = state.items.find((item) => item.id === id);
        if (item !== undefined) item.done = !item.done;
      },
    },
    remove: {
      input: Id,
      run({ state }, { id }) {
        state.items = state.items.filter((item) => item.id !== id);
      },
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
      <p class="left">${left} of ${state.items.length} left</p>
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
